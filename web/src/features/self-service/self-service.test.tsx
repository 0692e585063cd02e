import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { openApp, startServer } from '@/test/app';
import type { FakeServer } from '@/test/fake/server';

function start() {
  const { fake } = startServer({ tickets: 12 });
  return { fake, ...openApp('/p/self-service') };
}

const posted = async (fake: FakeServer, path: RegExp) => {
  const posts = fake.requests.filter(({ method, url }) => method === 'POST' && path.test(url));
  return Promise.all(posts.map((request) => request.clone().json() as Promise<Record<string, unknown>>));
};

describe('asking for help', { timeout: 90_000 }, () => {
  it('takes three answers, and the request stands in the list at once', async () => {
    const { fake, user } = start();
    await user.type(await screen.findByRole('textbox', { name: /What is the matter/ }), 'No sound');
    await user.type(screen.getByRole('textbox', { name: 'Tell us more' }), 'Since Monday.');
    await user.click(await screen.findByLabelText('One of my devices'));
    await user.click(await screen.findByLabelText(/LPT-AWA-01/));
    await user.click(screen.getByRole('button', { name: 'Send the request' }));
    expect(await screen.findByText(/^Request .+ sent$/)).toBeInTheDocument();
    expect(await posted(fake, /\/tickets$/)).toEqual([
      {
        id: expect.any(String),
        title: 'No sound',
        description: 'Since Monday.',
        impacted_assets: ['asset-0'],
      },
    ]);
    expect(screen.getByRole('textbox', { name: /What is the matter/ })).toHaveValue('');
  });

  it('is about one thing: another kind of subject takes the place of the first', async () => {
    const { fake, user } = start();
    await user.type(await screen.findByRole('textbox', { name: /What is the matter/ }), 'No sound');
    await user.click(await screen.findByLabelText('One of my devices'));
    await user.click(await screen.findByLabelText(/LPT-AWA-01/));
    await user.click(screen.getByLabelText('A topic'));
    await user.selectOptions(await screen.findByRole('combobox', { name: 'Category' }), 'Matériel');
    await user.click(screen.getByRole('button', { name: 'Send the request' }));
    await waitFor(async () => expect(await posted(fake, /\/tickets$/)).toHaveLength(1));
    const [sent] = await posted(fake, /\/tickets$/);
    expect(sent).toMatchObject({ category: 'category-1' });
    expect(sent).not.toHaveProperty('impacted_assets');
  });

  it('says what is missing in the words it asked in', async () => {
    const { fake, user } = start();
    await user.click(await screen.findByRole('button', { name: 'Send the request' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('What is the matter?: Fill in this field.');
    expect(await posted(fake, /\/tickets$/)).toEqual([]);
  });
});

describe('one’s own requests', { timeout: 90_000 }, () => {
  it('are one’s own, and lead to the conversation', async () => {
    const { fake, user, router } = start();
    const list = await screen.findByRole('region', { name: 'My requests' });
    await user.click(within(list).getByRole('button', { name: 'All' }));
    const links = await within(list).findAllByRole('link');
    const mine = [...(fake.collections.get('tickets')?.values() ?? [])].filter(
      ({ requester }) => requester === 'user-0',
    );
    expect(links).toHaveLength(mine.length);
    await user.click(links[0] as HTMLElement);
    await waitFor(() =>
      expect(router.state.location.search).toEqual({ open: expect.stringMatching(/^TIC-/) }),
    );
    const conversation = await screen.findByRole('region', { name: 'Conversation' });
    expect(await within(conversation).findByText(/Même problème/)).toBeInTheDocument();
    // What the desk says among itself is not for the one who asked.
    expect(within(conversation).queryByText(/spouleur/)).toBeNull();
  });

  it('can be answered, never internally', async () => {
    const { fake } = startServer({ tickets: 3 });
    const { user } = openApp('/p/self-service?open=ticket-0');
    await user.type(await screen.findByRole('textbox', { name: 'Your answer' }), 'It works again');
    await user.click(screen.getByRole('button', { name: 'Send' }));
    expect(await screen.findByText('It works again')).toBeInTheDocument();
    expect((await posted(fake, /\/comments$/))[0]).toMatchObject({ body: 'It works again', internal: false });
    expect(screen.getByRole('textbox', { name: 'Your answer' })).toHaveValue('');
  });

  it('say where they stand', async () => {
    startServer({ tickets: 3 });
    openApp('/p/self-service?open=ticket-2');
    const standing = await screen.findByRole('region', { name: 'Where it stands' });
    expect(within(standing).getByText('Being handled').closest('li')).toHaveAttribute('aria-current', 'step');
    expect(within(standing).getByRole('status')).toHaveTextContent(/is taking care of it\.$/);
  });
});
