/** What the records of steering open with, loaded with the first of them. */
import { lazy } from 'react';
import type { OwnParts } from '@/records/record/own-parts';

export const KPI_PARTS: Record<string, OwnParts> = {
  dashboard: {
    fields: [],
    related: ['kpis'],
    whole: true,
    Lead: lazy(() => import('./steering').then(({ piece }) => piece('Board'))),
  },
  kpi: {
    fields: [],
    related: ['values'],
    Lead: lazy(() => import('./steering').then(({ piece }) => piece('Indicator'))),
  },
};
