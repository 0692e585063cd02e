/** Signing in and out, the person's own profile and sessions. */
import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Input } from './schema';

/** The tokens come as cookies, which no script sees. */
export async function signIn(email: string, password: string): Promise<void> {
  await api.post('/auth/login', { body: { email, password } });
}

export async function signOut(): Promise<void> {
  await api.post('/auth/logout', {});
}

export type ProfileChange = Input<'patch', '/auth/me'>['body'];

export async function updateProfile(change: ProfileChange): Promise<void> {
  await api.patch('/auth/me', { body: change });
}

export const sessionsQuery = queryOptions({
  queryKey: ['auth', 'sessions'],
  queryFn: ({ signal }) => api.get('/auth/sessions', { signal }).then(({ items }) => items),
  staleTime: 0,
});

export async function endSession(id: string): Promise<void> {
  await api.delete('/auth/sessions/{id}', { path: { id } });
}
