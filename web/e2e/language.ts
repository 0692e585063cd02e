/** Before the first test: the people of the demo company read what their browser is set to, not their profile. */
import { expect, request } from '@playwright/test';
import { MANAGER, OTHER_REQUESTER, REQUESTER, TECHNICIAN } from './people';

export default async function readAsTheBrowser(config: {
  projects: { use: { baseURL?: string } }[];
}): Promise<void> {
  const client = await request.newContext({ baseURL: config.projects[0]?.use.baseURL });
  for (const person of [MANAGER, TECHNICIAN, REQUESTER, OTHER_REQUESTER]) {
    const login = await client.post('/api/v1/auth/login', { data: person });
    const { access_token } = await login.json();
    const change = await client.patch('/api/v1/auth/me', {
      headers: { Authorization: `Bearer ${access_token}` },
      data: { language: null },
    });
    expect(change.status(), person.email).toBe(200);
  }
  await client.dispose();
}
