/** The views that people keep: their own, and those that others share with them. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { newId } from '@/api/ids';
import type { SavedView, ViewDefinition } from '@/api/types';

export function savedViewsQuery(entity: string) {
  return queryOptions({
    queryKey: ['saved-views', entity],
    queryFn: ({ signal }) =>
      api
        .get('/saved-views', {
          signal,
          query: {
            filter: JSON.stringify({
              all: [
                { field: 'entity', op: 'eq', value: entity },
                { field: 'kind', op: 'eq', value: 'grid' },
              ],
            }),
            sort: 'name',
            limit: 200,
          },
        })
        .then(({ items }) => items as SavedView[]),
  });
}

export interface NewView {
  name: string;
  shared: boolean;
  definition: ViewDefinition;
}

/** The few writes on views; each reads the list again, so that the menu is never behind. */
export function useViewWrites(entity: string) {
  const client = useQueryClient();
  const onSuccess = () => client.invalidateQueries({ queryKey: savedViewsQuery(entity).queryKey });
  const create = useMutation({
    mutationFn: (view: NewView) =>
      api.post('/saved-views', { body: { id: newId(), entity, kind: 'grid', ...view } }),
    onSuccess,
  });
  const change = useMutation({
    mutationFn: ({ view, changes }: { view: SavedView; changes: Partial<NewView> }) =>
      api.patch('/saved-views/{id}', {
        path: { id: view.id },
        body: { ...changes, base_version: view.version },
      }),
    onSuccess,
  });
  const remove = useMutation({
    mutationFn: (view: SavedView) => api.delete('/saved-views/{id}', { path: { id: view.id } }),
    onSuccess,
  });
  const restore = useMutation({
    mutationFn: (view: SavedView) => api.post('/saved-views/{id}/restore', { path: { id: view.id } }),
    onSuccess,
  });
  return { create, change, remove, restore };
}
