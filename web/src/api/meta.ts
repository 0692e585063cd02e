/** Queries for the documents the interface is drawn from. */
import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { AppMeta, EntityMeta, FieldMeta } from './types';

export const appMetaQuery = queryOptions({
  queryKey: ['meta', 'app'],
  queryFn: async ({ signal }) => (await api.get('/meta/app', { signal })) as AppMeta,
  staleTime: Number.POSITIVE_INFINITY,
});

/** What identifies a record to machines: every record has them, and no person picks, sorts or edits by them. */
const FRAME = new Set(['id', 'version']);

async function readEntity(name: string, signal: AbortSignal): Promise<EntityMeta> {
  const meta = (await api.get('/meta/entities/{name}', { path: { name }, signal })) as EntityMeta;
  return { ...meta, fields: meta.fields.filter((field) => !FRAME.has(field.name)) };
}

export function entityQuery(name: string) {
  return queryOptions({
    queryKey: ['meta', 'entity', name],
    queryFn: ({ signal }) => readEntity(name, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function fieldNamed(entity: EntityMeta, name: string): FieldMeta | undefined {
  return entity.fields.find((field) => field.name === name);
}
