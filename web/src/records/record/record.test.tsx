import { act, cleanup, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { dropDrafts } from '@/records/form/drafts';
import { openApp, startServer } from '@/test/app';
import { changeByAnother } from '@/test/fake/activity';
import type { FakeServer } from '@/test/fake/server';

const ID = 'ticket-2';

async function open(prepare: (fake: FakeServer) => void = () => undefined) {
  const { fake } = startServer({ tickets: 6 });
  prepare(fake);
  const app = openApp(`/r/tickets/${ID}`);
  await screen.findByRole('heading', { level: 1 }, { timeout: 20_000 });
  return { ...app, fake };
}

type App = Awaited<ReturnType<typeof open>>;

const writes = (fake: FakeServer, method: string) =>
  fake.requests.filter((request) => request.method === method);
const bodies = (fake: FakeServer, method: string) =>
  Promise.all(
    writes(fake, method).map((request) => request.clone().json() as Promise<Record<string, unknown>>),
  );

function set(fake: FakeServer, changes: Record<string, unknown>) {
  const record = fake.find('tickets', ID);
  if (record) {
    Object.assign(record, changes);
  }
}

const write = async ({ user }: Pick<App, 'user'>, label: string) => {
  await user.click(await screen.findByRole('button', { name: `Edit: ${label}` }));
};

async function changeTitle(app: Pick<App, 'user'>, text: string) {
  await write(app, 'Title');
  const title = await screen.findByRole('textbox', { name: /^Title/ });
  await app.user.clear(title);
  await app.user.type(title, text);
  return title;
}

async function changePriority(app: Pick<App, 'user'>, label: string) {
  await write(app, 'Priority');
  await app.user.selectOptions(await screen.findByRole('combobox', { name: /^Priority/ }), label);
}

/** The way back of one message; those of earlier acts may still be on screen. */
async function undo({ user }: Pick<App, 'user'>, message: RegExp) {
  const said = (await screen.findByText(message)).closest('li') as HTMLElement;
  await user.click(within(said).getByRole('button', { name: 'Undo' }));
}

const save = (app: Pick<App, 'user'>) => app.user.keyboard('{Control>}s{/Control}');

describe('editing a record', { timeout: 90_000 }, () => {
  it('sends nothing before Save, then one PATCH with what was changed and the version it began from', async () => {
    const app = await open();
    const version = app.fake.find('tickets', ID)?.version;
    await changeTitle(app, 'Toner empty');
    await changePriority(app, 'Critical');
    expect(screen.getByText('2 unsaved changes')).toBeInTheDocument();
    expect(writes(app.fake, 'PATCH')).toHaveLength(0);
    await save(app);
    await waitFor(() => expect(screen.queryByText('2 unsaved changes')).toBeNull());
    expect(await bodies(app.fake, 'PATCH')).toEqual([
      { title: 'Toner empty', priority: 'critical', base_version: version },
    ]);
    expect(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Toner empty');
  });

  it('keeps what was typed through a reload, and nothing of it after a log-out', async () => {
    const first = await open();
    await changeTitle(first, 'Half typed');
    cleanup();
    openApp(`/r/tickets/${ID}`);
    expect(await screen.findByRole('textbox', { name: /^Title/ })).toHaveValue('Half typed');
    expect(screen.getByText('1 unsaved change')).toBeInTheDocument();
    cleanup();
    dropDrafts();
    openApp(`/r/tickets/${ID}`);
    await screen.findByRole('heading', { level: 1 });
    expect(screen.queryByText('1 unsaved change')).toBeNull();
    expect(writes(first.fake, 'PATCH')).toHaveLength(0);
  });

  it('takes one field back, or all of them', async () => {
    const app = await open();
    await changeTitle(app, 'Wrong');
    await changePriority(app, 'Critical');
    await app.user.click(screen.getByRole('button', { name: 'Back to the saved value: Title' }));
    expect(screen.getByText('1 unsaved change')).toBeInTheDocument();
    await app.user.click(screen.getByRole('button', { name: 'Discard changes' }));
    expect(screen.queryByText('1 unsaved change')).toBeNull();
    expect(writes(app.fake, 'PATCH')).toHaveLength(0);
  });

  it('does not send what cannot be read or is missing, and leads to it', async () => {
    const app = await open();
    const title = await changeTitle(app, 'x');
    await app.user.clear(title);
    await save(app);
    const summary = await screen.findByRole('alert');
    expect(summary).toHaveFocus();
    expect(writes(app.fake, 'PATCH')).toHaveLength(0);
    await app.user.click(within(summary).getByRole('button', { name: 'Title: Fill in this field.' }));
    expect(title).toHaveFocus();
  });

  it('puts what the server refuses at its field, and the rest into the summary', async () => {
    const app = await open();
    const title = await changeTitle(app, 'forbidden');
    await save(app);
    const summary = await screen.findByRole('alert');
    expect(summary).toHaveTextContent('Title: This word is not allowed.');
    expect(summary).toHaveTextContent('secret_code: There is no such field.');
    expect(title).toHaveAccessibleDescription('This word is not allowed.');
    expect(title).toHaveValue('forbidden');
  });
});

describe('two people at once', { timeout: 90_000 }, () => {
  it('shows the other’s change without touching what one types', async () => {
    const app = await open();
    await changeTitle(app, 'Mine');
    changeByAnother(app.fake, 'tickets', ID, { priority: 'critical' });
    await act(() => app.queryClient.invalidateQueries());
    const priority = screen.getByText('Priority').parentElement as HTMLElement;
    await waitFor(() => expect(priority).toHaveTextContent('Critical'));
    expect(screen.getByRole('textbox', { name: /^Title/ })).toHaveValue('Mine');
    expect(screen.queryByText(/Somebody else has changed/)).toBeNull();
  });

  it('asks for each field that both changed, and sends what was chosen from the new version', async () => {
    const app = await open((fake) => set(fake, { title: 'Before', priority: 'low' }));
    await changeTitle(app, 'Mine');
    await changePriority(app, 'High');
    changeByAnother(app.fake, 'tickets', ID, { title: 'Theirs', priority: 'critical' });
    await save(app);
    const dialog = await screen.findByRole('dialog', { name: 'Two people changed this' });
    const sides = (field: string) => within(within(dialog).getByRole('group', { name: field }));
    expect(sides('Title').getByRole('radio', { name: /Mine/ })).toBeChecked();
    await app.user.click(sides('Priority').getByRole('radio', { name: /Critical/ }));
    await app.user.click(within(dialog).getByRole('button', { name: 'Save this choice' }));
    await waitFor(() => expect(writes(app.fake, 'PATCH')).toHaveLength(2));
    const now = app.fake.find('tickets', ID);
    expect((await bodies(app.fake, 'PATCH'))[1]).toEqual({
      title: 'Mine',
      base_version: (now?.version ?? 0) - 1,
    });
    expect(now).toMatchObject({ title: 'Mine', priority: 'critical' });
    await waitFor(() => expect(screen.queryByText(/unsaved change/)).toBeNull());
  });

  it('warns before the save when the same field was changed on screen', async () => {
    const app = await open();
    await changeTitle(app, 'Mine');
    changeByAnother(app.fake, 'tickets', ID, { title: 'Theirs' });
    await act(() => app.queryClient.invalidateQueries());
    expect(await screen.findByText('Somebody else has changed meanwhile: Title.')).toBeInTheDocument();
    await app.user.click(screen.getByRole('button', { name: 'Compare' }));
    const dialog = await screen.findByRole('dialog');
    await app.user.click(within(dialog).getByRole('radio', { name: /^Theirs/ }));
    await app.user.click(within(dialog).getByRole('button', { name: 'Save this choice' }));
    await waitFor(() => expect(screen.queryByText(/unsaved change/)).toBeNull());
    expect(writes(app.fake, 'PATCH')).toHaveLength(0);
    expect(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Theirs');
  });
});

describe('moving to another state', { timeout: 90_000 }, () => {
  it('asks for what the state needs and sends it together with what was changed', async () => {
    const app = await open((fake) => set(fake, { status: 'in_progress' }));
    await changePriority(app, 'Low');
    await app.user.click(screen.getByRole('button', { name: 'Done' }));
    const dialog = await screen.findByRole('dialog', { name: 'In progress → Done' });
    await app.user.click(within(dialog).getByRole('button', { name: 'Done' }));
    expect(await within(dialog).findByRole('alert')).toHaveFocus();
    await app.user.type(within(dialog).getByRole('textbox', { name: /Resolution/ }), 'New toner');
    await app.user.click(within(dialog).getByRole('button', { name: 'Done' }));
    await waitFor(() => expect(writes(app.fake, 'PATCH')).toHaveLength(1));
    expect((await bodies(app.fake, 'PATCH'))[0]).toMatchObject({
      status: 'done',
      resolution: 'New toner',
      priority: 'low',
    });
    expect(await screen.findByRole('button', { name: 'Closed' })).toBeInTheDocument();
  });

  it('repeats with the token what must be confirmed, and only then', async () => {
    const app = await open((fake) => set(fake, { status: 'done', resolution: 'x' }));
    await app.user.click(await screen.findByRole('button', { name: 'Closed' }));
    const dialog = await screen.findByRole('alertdialog');
    expect(dialog).toHaveTextContent('2 sub-tickets are still open.');
    await app.user.click(within(dialog).getByRole('button', { name: 'Move to “Closed”' }));
    await waitFor(() => expect(writes(app.fake, 'PATCH')).toHaveLength(2));
    const [first, second] = writes(app.fake, 'PATCH');
    expect(first?.headers.get('X-Confirm')).toBeNull();
    expect(second?.headers.get('X-Confirm')).toBe('yes-close-it');
    await waitFor(() => expect(app.fake.find('tickets', ID)?.status).toBe('closed'));
  });

  it('explains a move that has become impossible, and offers those of the real state', async () => {
    const app = await open((fake) => set(fake, { status: 'on_hold' }));
    // Meanwhile somebody has taken it up.
    set(app.fake, { status: 'in_progress' });
    await app.user.click(await screen.findByRole('button', { name: 'To do' }));
    expect(await screen.findByRole('alert')).toHaveTextContent(
      'Status: Not possible from the present state. Possible now: Done.',
    );
    expect(await screen.findByRole('button', { name: 'Done' })).toBeInTheDocument();
    expect(app.fake.find('tickets', ID)?.status).toBe('in_progress');
  });
});

describe('leaving', { timeout: 90_000 }, () => {
  it('asks while something is unsaved, and goes once it is given up', async () => {
    const app = await open();
    await changeTitle(app, 'Mine');
    await app.user.click(screen.getByRole('link', { name: 'Users' }));
    let dialog = await screen.findByRole('alertdialog', { name: 'Leave without saving?' });
    await app.user.click(within(dialog).getByRole('button', { name: 'Keep writing' }));
    expect(app.router.state.location.pathname).toBe(`/r/tickets/${ID}`);
    expect(screen.getByText('1 unsaved change')).toBeInTheDocument();
    await app.user.click(screen.getByRole('link', { name: 'Users' }));
    dialog = await screen.findByRole('alertdialog');
    await app.user.click(within(dialog).getByRole('button', { name: 'Discard' }));
    await waitFor(() => expect(app.router.state.location.pathname).toBe('/r/users'));
  });

  it('is not asked about by another tab of the same record', async () => {
    const app = await open();
    await changeTitle(app, 'Mine');
    await app.user.click(screen.getByRole('tab', { name: /Files/ }));
    await waitFor(() => expect(app.router.state.location.hash).toBe('files'));
    expect(screen.queryByRole('alertdialog')).toBeNull();
  });
});

describe('deleting', { timeout: 90_000 }, () => {
  it('leads back to the list, and undoing brings the record back', async () => {
    const app = await open();
    await app.user.click(screen.getByRole('button', { name: 'More actions' }));
    await app.user.click(await screen.findByRole('menuitem', { name: 'Delete' }));
    await waitFor(() => expect(app.router.state.location.pathname).toBe('/r/tickets'));
    expect(app.fake.find('tickets', ID)?._deleted).toBe(true);
    await undo(app, /^Deleted: /);
    await waitFor(() => expect(app.fake.find('tickets', ID)?._deleted).toBe(false));
  });
});

describe('a deleted record', { timeout: 90_000 }, () => {
  it('can be looked at and brought back, but not changed', async () => {
    const app = await open((fake) => set(fake, { _deleted: true }));
    expect(await screen.findByRole('alert')).toHaveTextContent('This record was deleted');
    expect(screen.queryByRole('button', { name: /^Edit: / })).toBeNull();
    await app.user.click(screen.getByRole('button', { name: 'Restore' }));
    expect(await screen.findByRole('button', { name: 'Edit: Title' })).toBeInTheDocument();
    await waitFor(() => expect(screen.queryByText(/This record was deleted/)).toBeNull());
  });
});

describe('the conversation', { timeout: 90_000 }, () => {
  it('takes a comment by Ctrl+Enter, internal when one says so', async () => {
    const app = await open();
    const box = await screen.findByRole('textbox', { name: 'Write a comment…' });
    await app.user.click(screen.getByLabelText('Internal'));
    await app.user.type(box, 'Only **us**');
    await app.user.keyboard('{Control>}{Enter}{/Control}');
    const comment = (await screen.findByText('us')).closest('article') as HTMLElement;
    expect(within(comment).getByText('Internal')).toBeInTheDocument();
    expect((await bodies(app.fake, 'POST'))[0]).toMatchObject({ body: 'Only **us**', internal: true });
    expect(box).toHaveValue('');
  });

  it('lets one change and take back one’s own words, and nobody else’s', async () => {
    const app = await open();
    const other = (await screen.findByText(/Même problème/)).closest('article') as HTMLElement;
    expect(within(other).queryByRole('button', { name: 'Actions on the comment' })).toBeNull();
    const own = (await screen.findByText(/relancé/)).closest('article') as HTMLElement;
    await app.user.click(within(own).getByRole('button', { name: 'Actions on the comment' }));
    await app.user.click(await screen.findByRole('menuitem', { name: 'Delete' }));
    await waitFor(() => expect(screen.queryByText(/relancé/)).toBeNull());
    await undo(app, /^Comment deleted$/);
    expect(await screen.findByText(/relancé/)).toBeInTheDocument();
  });

  it('tells each change with its value before and after', async () => {
    await open();
    const entry = (await screen.findByText('made a change')).closest('article') as HTMLElement;
    const status = within(entry).getByText('Status:').closest('li') as HTMLElement;
    expect(status).toHaveTextContent(/Status:New.*becameIn progress/);
    expect(within(entry).getByText('Assignee:').closest('li')).toHaveTextContent('EmptybecameAwa Ndong');
  });
});

describe('files', { timeout: 90_000 }, () => {
  it('are attached from the page, shown, and removed with a way back', async () => {
    const app = await open();
    await app.user.click(screen.getByRole('tab', { name: 'Files' }));
    await app.user.upload(
      await screen.findByLabelText('Attach files', { selector: 'input' }),
      new File(['hello'], 'note.txt', { type: 'text/plain' }),
    );
    expect(await screen.findByText('note.txt attached')).toBeInTheDocument();
    // What jsdom hands to the fake server has lost its name; that it is there is what counts.
    const file = (await screen.findByRole('button', { name: /^Delete / })).closest('li') as HTMLElement;
    expect(within(file).getAllByRole('link')[0]).toHaveAttribute(
      'href',
      expect.stringMatching(/\/api\/v1\/files\/.+\/content$/),
    );
    await app.user.click(within(file).getByRole('button', { name: /^Delete / }));
    await waitFor(() => expect(screen.queryByRole('button', { name: /^Delete / })).toBeNull());
    await undo(app, /^(note\.txt|blob) deleted$/);
    expect(await screen.findByRole('button', { name: /^Delete / })).toBeInTheDocument();
  });
});
