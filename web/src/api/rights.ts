/** Why somebody may do something: for administrators. */
import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Answer } from './schema';

export type Explanation = Answer<'get', '/access/explain'>;
export type Reason = Explanation['reasons'][number];

export const ACTIONS = ['view', 'edit', 'delete'] as const;
export type AskedAction = (typeof ACTIONS)[number];

interface Question {
  user: string;
  collection: string;
  record: string;
  action: AskedAction;
}

/** Read anew each time: rights are what may just have been changed. */
export function explanationQuery(question: Question) {
  return queryOptions({
    queryKey: ['access', 'explain', question],
    queryFn: ({ signal }) => api.get('/access/explain', { query: { ...question }, signal }),
    staleTime: 0,
    gcTime: 0,
  });
}
