/** The figures of steering as the server adds them up, and when they are asked for again. */
import { type QueryClient, queryOptions, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { Answer } from '@/api/schema';
import { useChanges } from '@/records/live/live';

export type Tiles = Answer<'get', '/dashboards/{id}/tiles'>;
export type Tile = Tiles['items'][number];
export type Chart = Answer<'get', '/kpis/{id}/chart'>;
export type Point = Chart['points'][number];
export type Thresholds = Tile['thresholds'];
export type Direction = Answer<'get', '/reporting/direction'>;
export type Counts = Pick<
  Direction['items'][number],
  'status' | 'green' | 'orange' | 'red' | 'no_data' | 'stale' | 'open_actions' | 'late_actions'
>;
export type Span = 'month' | 'quarter' | 'year';
export type Standing = Tile['status'];

/** Below what changes of an indicator ask for again by themselves. */
const FIGURES = ['records', 'kpi', 'figures'] as const;

export function tilesQuery(dashboard: string) {
  return queryOptions({
    queryKey: [...FIGURES, 'tiles', dashboard],
    queryFn: ({ signal }) => api.get('/dashboards/{id}/tiles', { path: { id: dashboard }, signal }),
  });
}

export function chartQuery(kpi: string, by: Span | null) {
  return queryOptions({
    queryKey: [...FIGURES, 'chart', kpi, by],
    queryFn: ({ signal }) =>
      api.get('/kpis/{id}/chart', { path: { id: kpi }, query: by ? { by } : {}, signal }),
  });
}

export const directionQuery = queryOptions({
  queryKey: [...FIGURES, 'direction'],
  queryFn: ({ signal }) => api.get('/reporting/direction', { query: {}, signal }),
});

export function readFiguresAgain(client: QueryClient): Promise<void> {
  return client.invalidateQueries({ queryKey: FIGURES });
}

/** Figures follow what they are made of: values, thresholds of a day on, plans, dashboards. */
export function useFreshFigures(): void {
  const client = useQueryClient();
  const again = () => void readFiguresAgain(client);
  useChanges('kpi_value', again);
  useChanges('kpi_target', again);
  useChanges('action_plan', again);
  useChanges('dashboard', again);
}
