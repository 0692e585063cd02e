/** What roles give, and seeing with somebody else's eyes: for administrators. */
import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import { company } from './company';
import type { Answer, Input } from './schema';

export type Matrix = Answer<'get', '/access/matrix'>;
export type MatrixRole = Matrix['roles'][number];
export type GivenPermission = MatrixRole['permissions'][number];
export type Difference = Answer<'post', '/access/preview'>;
export type RoleChange = Input<'post', '/access/preview'>['body'];

/** Read anew each time: rights are what may just have been changed. */
export const matrixQuery = queryOptions({
  queryKey: ['access', 'matrix'],
  queryFn: ({ signal }) => api.get('/access/matrix', { signal }),
  staleTime: 0,
});

export function previewQuery(change: RoleChange) {
  return queryOptions({
    queryKey: ['access', 'preview', change],
    queryFn: ({ signal }) => api.post('/access/preview', { body: change, signal }),
    staleTime: 0,
    gcTime: 0,
  });
}

/** The page starts anew: nothing that other eyes have seen may stay in memory. */
function startAnew(): void {
  company.choose(null);
  location.assign('/');
}

export async function viewAs(user: string): Promise<void> {
  await api.post('/access/view-as', { body: { user } });
  startAnew();
}

export async function leaveView(): Promise<void> {
  await api.delete('/access/view-as', {});
  startAnew();
}
