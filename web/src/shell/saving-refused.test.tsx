import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';
import { collections } from '@/api/client';
import { forgetAnswers } from '@/api/saving';
import { session } from '@/api/session';
import { openApp, startServer } from '@/test/app';

const REFUSED = 'Changes cannot be saved at the moment.';

function unavailable(code: string) {
  return HttpResponse.json(
    { type: `/problems/${code}`, title: 'Not now', status: 503, detail: 'Nothing of this change was saved.' },
    { status: 503, headers: { 'Retry-After': '5' } },
  );
}

function health(database: string, changes: string) {
  const components = { database: { status: database }, changes: { status: changes } };
  return http.get('*/health', () => HttpResponse.json({ status: 'degraded', components }));
}

beforeEach(() => forgetAnswers());

describe('while nothing can be saved', { timeout: 90_000 }, () => {
  it('a banner says so over every page, what was typed stays, and it goes away by itself', async () => {
    const { server, fake } = startServer({ tickets: 3 });
    server.use(
      http.post('*/api/v1/tickets', () => unavailable('read_only')),
      health('ok', 'failed'),
    );
    const { user } = openApp('/r/tickets?create=true');
    const dialog = within(await screen.findByRole('dialog', { name: 'Create: Ticket' }));
    const title = await dialog.findByRole('textbox', { name: /^Title/ });
    expect(screen.queryByText(REFUSED)).toBeNull();
    await user.type(title, 'Toner empty{Enter}');
    expect(await screen.findByText(REFUSED)).toBeInTheDocument();
    expect(await dialog.findByRole('alert')).toHaveTextContent('Nothing of this change was saved.');
    expect(title).toHaveValue('Toner empty');
    // Kept in the browser too: a reload loses nothing.
    const kept = Object.values({ ...localStorage }).join();
    expect(kept).toContain('Toner empty');
    // Reading goes on meanwhile, and changes nothing about it.
    await collections.get('/tickets');
    expect(screen.getByText(REFUSED)).toBeInTheDocument();
    server.resetHandlers();
    server.use(...fake.handlers, health('ok', 'ok'));
    await waitFor(() => expect(screen.queryByText(REFUSED)).toBeNull());
    await user.type(title, '{Enter}');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  });

  it('a change that is saved ends it at once', async () => {
    const { server } = startServer({ tickets: 3 });
    server.use(
      http.post('*/api/v1/tickets', () => unavailable('read_only'), { once: true }),
      health('ok', 'failed'),
    );
    openApp('/r/tickets');
    await screen.findByRole('grid');
    await collections.post('/tickets', {}).catch(() => undefined);
    expect(await within(screen.getByRole('status', { name: 'Saving' })).findByText(REFUSED)).toBeVisible();
    await collections.post('/tickets', { title: 'Saved' });
    await waitFor(() => expect(screen.queryByText(REFUSED)).toBeNull());
  });

  it('a read that fails asks how the server is before anything is said', async () => {
    const { server } = startServer({ tickets: 3 });
    server.use(
      http.get('*/api/v1/search', () => unavailable('unavailable')),
      health('ok', 'ok'),
    );
    openApp('/r/tickets');
    await screen.findByRole('grid');
    const asked = new Promise<void>((resolve) => {
      server.events.on('response:mocked', ({ request }) => request.url.endsWith('/health') && resolve());
    });
    await collections.get('/search').catch(() => undefined);
    await asked;
    expect(screen.queryByText(REFUSED)).toBeNull();
    server.use(health('failed', 'ok'));
    await collections.get('/search').catch(() => undefined);
    expect(await screen.findByText(REFUSED)).toBeVisible();
  });

  it('nobody is logged out because the session cannot be renewed just now', async () => {
    const { server } = startServer({ tickets: 3 });
    server.use(
      http.get('*/api/v1/tickets', () => HttpResponse.json({ title: 'x' }, { status: 401 })),
      http.post('*/api/v1/auth/refresh', () => unavailable('read_only')),
    );
    session.started();
    const problem = await collections.get('/tickets').catch((error: unknown) => error);
    expect(problem).toMatchObject({ status: 503, code: 'read_only' });
    expect(session.get()).toBe('in');
  });
});
