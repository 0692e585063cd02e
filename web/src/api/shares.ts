/** With whom a record is shared. */
import { queryOptions } from '@tanstack/react-query';
import { collections, request } from './client';
import type { RecordData } from './types';

export const LEVELS = ['view', 'edit'] as const;
export type Level = (typeof LEVELS)[number];

export interface Share extends RecordData {
  user: string | null;
  group: string | null;
  level: Level;
}

export interface Shares {
  items: Share[];
  labels?: Record<string, string>;
  next_cursor: string | null;
}

/** More are not listed: a role then says it better. */
const SHOWN = 200;

export function sharesQuery(entity: string, id: string) {
  const filter = JSON.stringify({ field: 'record', op: 'eq', value: { entity, id } });
  return queryOptions({
    queryKey: ['shares', entity, id],
    queryFn: ({ signal }) =>
      collections.get<Shares>('/grants', { query: { filter, limit: SHOWN, sort: 'created_at' }, signal }),
  });
}

interface NewShare {
  entity: string;
  id: string;
  with: 'user' | 'group';
  whom: string;
  level: Level;
}

export function share({ entity, id, with: kind, whom, level }: NewShare): Promise<Share> {
  return collections.post<Share>('/grants', { record: { entity, id }, [kind]: whom, level });
}

export function changeLevel(share: Share, level: Level): Promise<Share> {
  return collections.patch<Share>(`/grants/${share.id}`, { level });
}

export async function takeBack(share: Share): Promise<void> {
  await request('DELETE', `/grants/${share.id}`);
}
