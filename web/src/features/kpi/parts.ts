/** What steering shows of its own, each piece and its words loaded with the first page that needs it. */
import { type ComponentType, lazy } from 'react';
import type { OwnParts } from '@/records/record/own-parts';

/** A piece is drawn when its words are there too. */
function piece(load: () => Promise<ComponentType>) {
  return lazy(async () => {
    const [component, { loadWords }] = await Promise.all([load(), import('./words')]);
    await loadWords();
    return { default: component };
  });
}

export const KPI_PARTS: Record<string, OwnParts> = {
  dashboard: {
    fields: [],
    related: ['kpis'],
    whole: true,
    Lead: piece(async () => (await import('./board/Board')).Board),
  },
  kpi: {
    fields: [],
    related: ['values'],
    Lead: piece(async () => (await import('./indicator/Indicator')).Indicator),
  },
};

/** Pages of the module's menu, and those a dashboard leads to. */
export const KPI_PAGES: Record<string, ComponentType> = {
  direction: piece(async () => (await import('./direction/DirectionPage')).DirectionPage),
  'kpi-entry': piece(async () => (await import('./entry/EntryPage')).EntryPage),
  kiosk: piece(async () => (await import('./board/Kiosk')).Kiosk),
};
