/** The rows of a list: pages of the server put together, read on as the person scrolls. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type ListParams, listQuery, readList } from '@/api/records';
import type { EntityMeta, Labels, RecordData } from '@/api/types';

export interface Rows {
  records: RecordData[];
  ids: string[];
  labels: Labels;
  total: number | null;
  /** The server stopped counting: there are at least `total`. */
  more: boolean;
}

export function useRows(entity: EntityMeta, params: ListParams, enabled: boolean) {
  const query = useInfiniteQuery({
    ...listQuery(entity, params),
    enabled,
    placeholderData: keepPreviousData,
    // Live changes are put into these rows one by one instead of reading the whole list again.
    meta: { live: true },
  });
  const rows = useMemo((): Rows => {
    const pages = query.data?.pages ?? [];
    // A record that moved between two pages while they were read comes twice; its first place counts.
    const byId = new Map<string, RecordData>();
    for (const record of pages.flatMap(({ items }) => items)) {
      if (!byId.has(record.id)) {
        byId.set(record.id, record);
      }
    }
    return {
      records: [...byId.values()],
      ids: [...byId.keys()],
      labels: Object.assign({}, ...pages.map(({ labels }) => labels)),
      total: pages[0]?.total ?? null,
      more: pages[0]?.total_is === 'at_least',
    };
  }, [query.data]);
  return { query, rows };
}

/** How many rows are acted on at once at the most: what the server counts up to. */
const MOST = 10_000;
/** The most the server gives at once. */
const LARGEST_PAGE = 500;

/** Everything the question of a list matches, also what has not been scrolled to. */
export async function readMatching(entity: EntityMeta, params: ListParams): Promise<RecordData[]> {
  const question = { ...params, fields: fieldsToRead(entity, []), limit: LARGEST_PAGE };
  const byId = new Map<string, RecordData>();
  let cursor: string | null = null;
  do {
    const page = await readList(entity, question, cursor);
    for (const record of page.items) {
      byId.set(record.id, record);
    }
    cursor = page.next_cursor;
  } while (cursor !== null && byId.size < MOST);
  return [...byId.values()].slice(0, MOST);
}

/** The fields a list must ask for: what is shown, and what names and marks a record. */
export function fieldsToRead(entity: EntityMeta, columns: string[]): string[] {
  const always = [entity.title_field, entity.state_field, entity.number ? 'number' : null];
  return [...new Set([...columns, ...always.filter((name) => name !== null)])];
}
