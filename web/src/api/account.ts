/** Signing in and out, the person's own profile and sessions. */
import { queryOptions } from '@tanstack/react-query';
import { api } from './client';
import type { Me, Session } from './types';

interface SignedIn {
  mfa_required?: undefined;
  expires_in: number;
}

interface SecondFactor {
  mfa_required: true;
  mfa_token: string;
  methods: string[];
}

export function signIn(email: string, password: string): Promise<SignedIn | SecondFactor> {
  return api.post('/auth/login', { email, password });
}

export async function confirmSignIn(mfaToken: string, code: string): Promise<void> {
  await api.post('/auth/mfa', { mfa_token: mfaToken, code });
}

export async function signOut(): Promise<void> {
  await api.post('/auth/logout');
}

export type ProfileChange = Partial<Pick<Me, 'language' | 'theme' | 'time_zone'>>;

export function updateProfile(change: ProfileChange): Promise<Me> {
  return api.patch('/auth/me', change);
}

export const sessionsQuery = queryOptions({
  queryKey: ['auth', 'sessions'],
  queryFn: ({ signal }) =>
    api.get<{ items: Session[] }>('/auth/sessions', { signal }).then(({ items }) => items),
  staleTime: 0,
});

export async function endSession(id: string): Promise<void> {
  await api.delete(`/auth/sessions/${encodeURIComponent(id)}`);
}
