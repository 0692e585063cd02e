/** Queries for the documents the interface is drawn from. */
import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { AppMeta, EntityMeta, FieldMeta } from './types';

export const appMetaQuery = queryOptions({
  queryKey: ['meta', 'app'],
  queryFn: ({ signal }) => api.get<AppMeta>('/meta/app', { signal }),
  staleTime: Number.POSITIVE_INFINITY,
});

export function entityQuery(name: string) {
  return queryOptions({
    queryKey: ['meta', 'entity', name],
    queryFn: ({ signal }) => api.get<EntityMeta>(`/meta/entities/${encodeURIComponent(name)}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function fieldNamed(entity: EntityMeta, name: string): FieldMeta | undefined {
  return entity.fields.find((field) => field.name === name);
}
