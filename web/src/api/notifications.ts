/** What the person is told inside the application, and what of it he has read. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, collections } from './client';
import { recordKeys } from './records';

export interface NotificationData {
  id: string;
  kind: 'system' | 'business' | 'social' | 'alert';
  title: string;
  message: string | null;
  about: { entity: string; id: string } | null;
  read_at: string | null;
  created_at: string;
}

interface NotificationPage {
  items: NotificationData[];
  next_cursor: string | null;
}

export type Shown = 'all' | 'unread';

/** They begin as those of the entity do: what the stream says about notifications makes them old. */
const keys = [...recordKeys.all, 'notification'] as const;

export const unreadQuery = queryOptions({
  queryKey: [...keys, 'unread'] as const,
  queryFn: ({ signal }) => api.get('/notifications/unread', { signal }).then(({ count }) => count),
});

const PAGE = 30;

/** The person's own, the newest first; an administrator could see everybody's. */
export function notificationsQuery(shown: Shown) {
  const own = { field: 'recipient', op: 'eq', value: '@me' };
  const unread = { field: 'read_at', op: 'is_empty', value: true };
  const filter = JSON.stringify({ all: shown === 'unread' ? [own, unread] : [own] });
  return infiniteQueryOptions({
    queryKey: [...keys, 'panel', shown] as const,
    queryFn: ({ pageParam, signal }) =>
      collections.get<NotificationPage>('/notifications', {
        signal,
        query: { filter, sort: '-created_at,-id', limit: PAGE, cursor: pageParam },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

export async function markRead(id: string): Promise<void> {
  await api.post('/notifications/{id}/read', { path: { id } });
}

export async function markAllRead(): Promise<void> {
  await api.post('/notifications/read-all', {});
}

export const notificationKeys = keys;
