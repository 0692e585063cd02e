/** What is on screen of records, changed without reading it again: after a write, and as live changes come. */
import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';
import { recordKeys } from './records';
import type { Labels, ListPage, RecordData } from './types';

export type Pages = InfiniteData<ListPage, string | null>;

/**
 * Pages with these records in place of what was known of them, and without those that are gone. Pages that
 * hold none of them stay the same objects, so nothing is drawn for nothing.
 */
export function changePages(
  pages: Pages,
  fresh: ReadonlyMap<string, RecordData>,
  gone: ReadonlySet<string>,
  labels: Labels = {},
): Pages {
  const concerned = (page: ListPage) => page.items.some(({ id }) => fresh.has(id) || gone.has(id));
  if (!pages.pages.some(concerned)) {
    return pages;
  }
  let removed = 0;
  const changed = pages.pages.map((page): ListPage => {
    if (!concerned(page)) {
      return page;
    }
    const items = page.items
      .filter(({ id }) => !gone.has(id))
      .map((item) => ({ ...item, ...fresh.get(item.id) }));
    removed += page.items.length - items.length;
    return { ...page, items, labels: { ...page.labels, ...labels } };
  });
  const counted = changed.map(
    (page): ListPage =>
      removed === 0 || page.total === null || page.total_is === 'at_least'
        ? page
        : { ...page, total: page.total - removed },
  );
  return { ...pages, pages: counted };
}

/** In every list of the entity that holds them. Whether they still belong there the stream will say. */
export function putRecords(
  client: QueryClient,
  entity: string,
  records: RecordData[],
  labels?: Labels,
): void {
  const fresh = new Map(records.map((record) => [record.id, record]));
  client.setQueriesData<Pages>(
    { queryKey: recordKeys.lists(entity) },
    (data) => data && changePages(data, fresh, new Set(), labels),
  );
}

export function dropRecords(client: QueryClient, entity: string, ids: string[]): void {
  const gone = new Set(ids);
  client.setQueriesData<Pages>(
    { queryKey: recordKeys.lists(entity) },
    (data) => data && changePages(data, new Map(), gone),
  );
}

/** From the top, as if just opened; what was read further down is read again when it is scrolled to. */
export async function readFromTop(client: QueryClient, queryKey: QueryKey): Promise<void> {
  client.setQueriesData<Pages>(
    { queryKey },
    (data) => data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
  );
  await client.invalidateQueries({ queryKey });
}
