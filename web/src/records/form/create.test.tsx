import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { describe, expect, it } from 'vitest';
import { openApp, startServer } from '@/test/app';

async function open() {
  const { fake, server } = startServer({ tickets: 3 });
  const app = openApp('/r/tickets?create=true');
  const dialog = await screen.findByRole('dialog', { name: 'Create: Ticket' });
  const title = await within(dialog).findByRole('textbox', { name: /^Title/ });
  const created = async () => {
    const posts = fake.requests.filter(({ method, url }) => method === 'POST' && url.endsWith('/tickets'));
    return Promise.all(posts.map((request) => request.clone().json() as Promise<Record<string, unknown>>));
  };
  return { ...app, server, dialog: within(dialog), title, created };
}

describe('the form of a new record', { timeout: 90_000 }, () => {
  it('sends what was filled in, once, and says so with the way to it', async () => {
    const { user, title, created, router } = await open();
    expect(title).toHaveFocus();
    await user.type(title, 'Toner empty');
    await user.keyboard('{Control>}{Enter}{/Control}');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    const sent = await created();
    // What was left empty is left out: the server has defaults of its own.
    expect(sent).toEqual([
      { id: expect.any(String), title: 'Toner empty', kind: 'incident', priority: 'medium' },
    ]);
    await user.click(await screen.findByRole('button', { name: 'Open' }));
    await waitFor(() => expect(router.state.location.pathname).toBe(`/r/tickets/${sent[0]?.id}`));
  });

  it('asks for what is required before it asks the server', async () => {
    const { user, dialog, created, title } = await open();
    await user.click(dialog.getByRole('button', { name: 'Create' }));
    expect(await dialog.findByRole('alert')).toHaveFocus();
    expect(title).toHaveAccessibleDescription('Fill in this field.');
    await user.type(title, 'x');
    expect(title).not.toHaveAccessibleDescription('Fill in this field.');
    expect(await created()).toEqual([]);
  });

  it('opens into the whole form without losing what was typed, but has no state to choose', async () => {
    const { user, dialog, title } = await open();
    await user.type(title, 'Toner');
    await user.click(dialog.getByRole('button', { name: 'More fields' }));
    expect(await dialog.findByRole('textbox', { name: 'Resolution' })).toBeInTheDocument();
    expect(dialog.getByRole('textbox', { name: /^Title/ })).toHaveValue('Toner');
    expect(dialog.queryByRole('combobox', { name: 'Status' })).toBeNull();
  });

  it('is emptied for the next one when another is wanted', async () => {
    const { user, dialog, title, created } = await open();
    await user.click(dialog.getByRole('checkbox', { name: 'Create another' }));
    await user.type(title, 'One{Enter}');
    await waitFor(() => expect(title).toHaveValue(''));
    await user.type(title, 'Two{Enter}');
    await waitFor(async () => expect(await created()).toHaveLength(2));
    const [one, two] = await created();
    expect([one?.title, two?.title]).toEqual(['One', 'Two']);
    expect(one?.id).not.toBe(two?.id);
  });

  it('keeps what was begun until it is sent or given up', async () => {
    const { user, dialog, title, router } = await open();
    await user.type(title, 'Half');
    await user.click(dialog.getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await router.navigate({
      to: '/r/$collection',
      params: { collection: 'tickets' },
      search: { create: true },
    });
    const again = within(await screen.findByRole('dialog'));
    expect(await again.findByRole('textbox', { name: /^Title/ })).toHaveValue('Half');
    await user.click(again.getByRole('button', { name: 'Start again' }));
    expect(again.getByRole('textbox', { name: /^Title/ })).toHaveValue('');
  });

  it('shows at the field what the server refuses, and keeps the rest', async () => {
    const { user, dialog, title, server } = await open();
    const errors = [{ field: 'title', code: 'pattern', message: 'This word is not allowed.' }];
    server.use(
      http.post('*/api/v1/tickets', () =>
        HttpResponse.json(
          { type: '/problems/invalid', title: 'Invalid', status: 422, errors },
          { status: 422 },
        ),
      ),
    );
    await user.type(title, 'forbidden{Enter}');
    expect(await dialog.findByRole('alert')).toHaveTextContent('Title: This word is not allowed.');
    expect(title).toHaveValue('forbidden');
    expect(title).toBeInvalid();
  });
});
