/** The page of the module's menu, and those a dashboard leads to. */
import { type ComponentType, lazy } from 'react';

export const KPI_PAGES: Record<string, ComponentType> = {
  direction: lazy(() => import('./steering').then(({ piece }) => piece('DirectionPage'))),
  'kpi-entry': lazy(() => import('./steering').then(({ piece }) => piece('EntryPage'))),
  kiosk: lazy(() => import('./steering').then(({ piece }) => piece('Kiosk'))),
};
