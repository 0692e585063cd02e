/** Reading and writing records of any entity: query options, and one function for each write. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { collections, request } from './client';
import { decodeRecord } from './json';
import type {
  BulkOperation,
  BulkResult,
  Condition,
  EntityMeta,
  ListPage,
  RecordData,
  RecordPage,
} from './types';

export interface ListParams {
  fields?: string[];
  filter?: Condition | null;
  sort?: string[];
  q?: string;
  deleted?: boolean;
  /** Equality on fields, for lists of what belongs to one record: `{parent: ID}`. */
  where?: Record<string, string>;
  limit?: number;
}

/** Every cached query about records starts with these, so that live changes find them. */
export const recordKeys = {
  lists: (entity: string) => ['records', entity, 'list'] as const,
  list: (entity: string, params: ListParams) => ['records', entity, 'list', params] as const,
  record: (entity: string, id: string) => ['records', entity, 'record', id] as const,
  all: ['records'] as const,
};

const PAGE_SIZE = 100;

export async function readList(
  entity: EntityMeta,
  params: ListParams,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<ListPage> {
  const page = await collections.get<ListPage>(`/${entity.collection}`, {
    signal,
    query: {
      ...params.where,
      fields: params.fields?.join(','),
      filter: params.filter ? JSON.stringify(params.filter) : undefined,
      sort: params.sort?.join(',') || undefined,
      q: params.q || undefined,
      deleted: params.deleted || undefined,
      limit: params.limit ?? PAGE_SIZE,
      cursor,
      // Counting costs the server; the first page's answer is kept for the following ones.
      total: cursor === null ? true : undefined,
    },
  });
  return {
    ...page,
    items: page.items.map((item) => decodeRecord(entity.fields, item)),
    labels: page.labels ?? {},
  };
}

export function listQuery(entity: EntityMeta, params: ListParams) {
  return infiniteQueryOptions({
    queryKey: recordKeys.list(entity.name, params),
    queryFn: ({ pageParam, signal }) => readList(entity, params, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

/** How many records a filter lets through: exact, or at least so many. */
export function countQuery(entity: EntityMeta, filter: Condition | null) {
  return queryOptions({
    queryKey: [...recordKeys.all, entity.name, 'count', filter] as const,
    queryFn: async ({ signal }) => {
      const fields = entity.title_field === null ? undefined : [entity.title_field];
      const { total, total_is } = await readList(entity, { fields, filter, limit: 1 }, null, signal);
      return { total: total ?? 0, more: total_is === 'at_least' };
    },
  });
}

type RawRecord = RecordData & { labels?: RecordPage['labels']; can?: RecordPage['can'] };

function recordPage(entity: EntityMeta, raw: RawRecord): RecordPage {
  const { labels = {}, can = { edit: entity.can.edit, delete: entity.can.delete }, ...record } = raw;
  return { record: decodeRecord(entity.fields, record as RecordData), labels, can };
}

function recordPath(entity: EntityMeta, id: string): string {
  return `/${entity.collection}/${encodeURIComponent(id)}`;
}

export function recordQuery(entity: EntityMeta, id: string) {
  return queryOptions({
    queryKey: recordKeys.record(entity.name, id),
    queryFn: async ({ signal }) =>
      recordPage(entity, await collections.get<RawRecord>(recordPath(entity, id), { signal })),
  });
}

/** A deleted record, to be looked at and brought back: nothing of it can be changed. */
export function deletedRecordQuery(entity: EntityMeta, id: string) {
  return queryOptions({
    queryKey: [...recordKeys.record(entity.name, id), 'deleted'],
    queryFn: async ({ signal }): Promise<RecordPage> => {
      const raw = await collections.get<RawRecord>(recordPath(entity, id), {
        signal,
        query: { deleted: true },
      });
      const page = recordPage(entity, raw);
      return { ...page, can: { edit: false, delete: page.can.delete } };
    },
  });
}

export async function createRecord(
  entity: EntityMeta,
  data: Record<string, unknown>,
  idempotencyKey?: string,
  confirmToken?: string,
): Promise<RecordPage> {
  const headers = confirmToken ? { 'X-Confirm': confirmToken } : undefined;
  const raw = await collections.post<RawRecord>(`/${entity.collection}`, data, { idempotencyKey, headers });
  return recordPage(entity, raw);
}

/** `base` is the version the person was looking at: other people's changes of other fields are merged. */
export async function updateRecord(
  entity: EntityMeta,
  id: string,
  base: number,
  data: Record<string, unknown>,
  confirmToken?: string,
): Promise<RecordPage> {
  const headers = confirmToken ? { 'X-Confirm': confirmToken } : undefined;
  const raw = await collections.patch<RawRecord>(
    recordPath(entity, id),
    { ...data, base_version: base },
    { headers },
  );
  return recordPage(entity, raw);
}

/** Answers the id of the deletion, which restores the record and all that went with it. */
export async function deleteRecord(
  entity: EntityMeta,
  id: string,
  confirmToken?: string,
): Promise<string | null> {
  const headers = confirmToken ? { 'X-Confirm': confirmToken } : undefined;
  const answer = await request('DELETE', recordPath(entity, id), { headers });
  return answer.headers.get('OpsFlux-Deletion');
}

export async function restoreRecord(entity: EntityMeta, id: string): Promise<void> {
  await collections.post(`${recordPath(entity, id)}/restore`);
}

/** The most operations the server takes in one request. */
const BULK_LIMIT = 1000;

/** Each operation succeeds or fails by itself; results come in the order of the operations. */
export async function bulkWrite(
  entity: EntityMeta,
  operations: BulkOperation[],
  onProgress?: (done: number) => void,
): Promise<BulkResult[]> {
  const results: BulkResult[] = [];
  for (let at = 0; at < operations.length; at += BULK_LIMIT) {
    const answer = await collections.post<{ results: BulkResult[] }>(`/${entity.collection}/bulk`, {
      atomic: false,
      operations: operations.slice(at, at + BULK_LIMIT),
    });
    for (const result of answer.results) {
      results.push(
        result.record ? { ...result, record: decodeRecord(entity.fields, result.record) } : result,
      );
    }
    onProgress?.(results.length);
  }
  return results;
}
