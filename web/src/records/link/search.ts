/** Finding the records a link may point to, and the titles of those it points to. */
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { api } from '@/api/client';
import { appMetaQuery } from '@/api/meta';
import type { AppMeta, Condition, EntitySummary, Labels, RecordData } from '@/api/types';

export interface LinkOption {
  id: string;
  title: string;
  number: string | null;
}

function summaryOf(app: AppMeta | undefined, entity: string): EntitySummary | undefined {
  return app?.entities.find(({ name }) => name === entity);
}

function optionFrom(record: RecordData, titleField: string | null): LinkOption {
  const number = typeof record.number === 'string' ? record.number : null;
  const title = titleField === null ? null : record[titleField];
  return {
    id: record.id,
    number,
    title: typeof title === 'string' && title !== '' ? title : (number ?? record.id),
  };
}

async function readOptions(
  target: EntitySummary,
  filter: Condition | null,
  q: string,
  limit: number,
  signal: AbortSignal,
): Promise<LinkOption[]> {
  const { items } = await api.get<{ items: RecordData[] }>(`/${target.collection}`, {
    signal,
    query: {
      filter: filter ? JSON.stringify(filter) : undefined,
      q: q || undefined,
      sort: q || !target.title_field ? undefined : target.title_field,
      limit,
    },
  });
  return items.map((item) => optionFrom(item, target.title_field));
}

/** The records of `entity` that fit what was typed; all of them, by title, while nothing is typed. */
export function useLinkOptions(entity: string, where: Condition | null | undefined, typed: string) {
  const { data: app } = useQuery(appMetaQuery);
  const target = summaryOf(app, entity);
  const q = typed.trim();
  return useQuery({
    queryKey: ['records', entity, 'options', where ?? null, q],
    queryFn: ({ signal }) => readOptions(target as EntitySummary, where ?? null, q, 20, signal),
    enabled: target !== undefined,
    placeholderData: keepPreviousData,
  });
}

function titlesQuery(target: EntitySummary | undefined, ids: string[]) {
  return queryOptions({
    queryKey: ['records', target?.name ?? '', 'titles', ids],
    queryFn: async ({ signal }): Promise<Labels> => {
      const filter: Condition = { field: 'id', op: 'in', value: ids };
      const options = await readOptions(target as EntitySummary, filter, '', ids.length, signal);
      return Object.fromEntries(options.map(({ id, title }) => [id, title]));
    },
    enabled: target !== undefined && ids.length > 0,
  });
}

/** The titles of records known by id only, as in a filter that came with the address. */
export function useTitles(entity: string, ids: string[]): Labels {
  const { data: app } = useQuery(appMetaQuery);
  const { data } = useQuery(titlesQuery(summaryOf(app, entity), ids.toSorted()));
  return data ?? {};
}
