/** Finding the records a link may point to, and the titles of those it points to. */
import { keepPreviousData, type QueryClient, queryOptions, useQuery } from '@tanstack/react-query';
import { collections } from '@/api/client';
import { appMetaQuery, entityQuery } from '@/api/meta';
import type {
  AppMeta,
  Condition,
  EntityMeta,
  EntitySummary,
  FieldMeta,
  Labels,
  RecordData,
} from '@/api/types';

export interface LinkOption {
  id: string;
  title: string;
  number: string | null;
  /** Tells namesakes apart: the number, an address, where it belongs. */
  detail: string;
}

function summaryOf(app: AppMeta | undefined, entity: string): EntitySummary | undefined {
  return app?.entities.find(({ name }) => name === entity);
}

const WORDS = ['text', 'email', 'phone'];
const BELONGINGS = ['link', 'choice', 'state'];

/** The first columns of the target's list that tell namesakes apart: one of its own words, one of where it belongs. */
function tellingFields(meta: EntityMeta): FieldMeta[] {
  const columns = meta.list.columns
    .flatMap((name) => meta.fields.find((field) => field.name === name) ?? [])
    .filter(({ name }) => name !== meta.title_field && name !== 'number');
  return [WORDS, BELONGINGS].flatMap((types) => columns.find(({ type }) => types.includes(type)) ?? []);
}

function wordFor(field: FieldMeta, value: unknown, meta: EntityMeta, labels: Labels): string {
  if (typeof value !== 'string') {
    return '';
  }
  switch (field.type) {
    case 'choice':
      return field.options.find((option) => option.value === value)?.label ?? value;
    case 'state':
      return meta.states.find((state) => state.value === value)?.label ?? value;
    case 'link':
      return labels[value] ?? '';
    default:
      return value;
  }
}

function optionFrom(record: RecordData, meta: EntityMeta, labels: Labels): LinkOption {
  const number = typeof record.number === 'string' ? record.number : null;
  const title = meta.title_field === null ? null : record[meta.title_field];
  const named = typeof title === 'string' && title !== '';
  const words = tellingFields(meta).map((field) => wordFor(field, record[field.name], meta, labels));
  return {
    id: record.id,
    number,
    title: named ? title : (number ?? record.id),
    detail: [named ? number : null, ...words].filter(Boolean).slice(0, 2).join(' · '),
  };
}

async function readOptions(
  client: QueryClient,
  target: EntitySummary,
  question: { filter: Condition | null; q: string; limit: number },
  signal: AbortSignal,
): Promise<LinkOption[]> {
  const meta = await client.ensureQueryData(entityQuery(target.name));
  const { filter, q, limit } = question;
  const names = [
    meta.title_field,
    meta.number ? 'number' : null,
    ...tellingFields(meta).map(({ name }) => name),
  ];
  const { items, labels = {} } = await collections.get<{ items: RecordData[]; labels?: Labels }>(
    `/${target.collection}`,
    {
      signal,
      query: {
        fields: names.filter((name) => name !== null).join(',') || undefined,
        filter: filter ? JSON.stringify(filter) : undefined,
        q: q || undefined,
        sort: q || !meta.title_field ? undefined : meta.title_field,
        limit,
      },
    },
  );
  return items.map((item) => optionFrom(item, meta, labels));
}

/** The records of `entity` that fit what was typed; all of them, by title, while nothing is typed. */
export function useLinkOptions(
  entity: string,
  where: Condition | null | undefined,
  typed: string,
  enabled = true,
) {
  const { data: app } = useQuery(appMetaQuery);
  const target = summaryOf(app, entity);
  const q = typed.trim();
  return useQuery({
    queryKey: ['records', entity, 'options', where ?? null, q],
    queryFn: ({ client, signal }) =>
      readOptions(client, target as EntitySummary, { filter: where ?? null, q, limit: 20 }, signal),
    enabled: enabled && target !== undefined,
    placeholderData: keepPreviousData,
  });
}

function titlesQuery(target: EntitySummary | undefined, ids: string[]) {
  return queryOptions({
    queryKey: ['records', target?.name ?? '', 'titles', ids],
    queryFn: async ({ client, signal }): Promise<Labels> => {
      const filter: Condition = { field: 'id', op: 'in', value: ids };
      const question = { filter, q: '', limit: ids.length };
      const options = await readOptions(client, target as EntitySummary, question, signal);
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
