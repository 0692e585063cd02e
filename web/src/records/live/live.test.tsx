import { act, screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { changePages } from '@/api/record-cache';
import type { ChangeEvent, ListPage } from '@/api/types';
import { openApp, startServer } from '@/test/app';
import { narrowed } from './live-rows';

/** The stream as the browser gives it, without a browser. */
class FakeStream extends EventTarget {
  static readonly CLOSED = 2;
  static open: FakeStream[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor() {
    super();
    FakeStream.open.push(this);
  }

  close(): void {
    FakeStream.open = FakeStream.open.filter((stream) => stream !== this);
  }
}

function tell(name: string, data: unknown): void {
  for (const stream of FakeStream.open) {
    stream.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
}

const change = (event: ChangeEvent) => act(() => tell('change', event));

async function openList(address = '/r/tickets') {
  const { fake } = startServer();
  const app = openApp(address);
  const element = await screen.findByRole('grid');
  await within(element).findByText('TIC-020000');
  await waitFor(() => expect(FakeStream.open).toHaveLength(1));
  const tickets = fake.collections.get('tickets');
  if (!tickets) {
    throw new Error('the fake server has tickets');
  }
  return { ...app, fake, element, tickets };
}

beforeEach(() => {
  FakeStream.open = [];
  vi.stubGlobal('EventSource', FakeStream);
});

describe('somebody else', () => {
  it('changes a record: its row changes in its place', async () => {
    const { element, tickets } = await openList();
    const before = tickets.get('ticket-2');
    tickets.set('ticket-2', { ...before, id: 'ticket-2', version: 9, title: 'Changed elsewhere' });
    change({ entity: 'ticket', id: 'ticket-2', version: 9, op: 'updated', by: 'user-2' });
    const cell = await within(element).findByText('Changed elsewhere');
    expect(cell.closest('[role=row]')).toHaveAttribute('aria-rowindex', '4');
  });

  it('takes a record out of sight: its row leaves, and is no longer counted', async () => {
    const { element, tickets } = await openList();
    tickets.delete('ticket-0');
    change({ entity: 'ticket', id: 'ticket-0', gone: true });
    await waitFor(() => expect(within(element).queryByText('TIC-020000')).toBeNull());
    expect(element).toHaveAttribute('aria-rowcount', '60');
  });

  it('creates a record: it appears at the top for who stands there', async () => {
    const { element, tickets } = await openList();
    tickets.set('new', { id: 'new', version: 1, title: 'Fresh', created_at: '2030-01-01T00:00:00Z' });
    change({ entity: 'ticket', id: 'new', version: 1, op: 'created', by: 'user-2' });
    const cell = await within(element).findByText('Fresh');
    expect(cell.closest('[role=row]')).toHaveAttribute('aria-rowindex', '2');
  });

  it('creates a record: who reads further down is told, and nothing moves', async () => {
    const { element, tickets, user } = await openList();
    act(() => element.scrollTo({ top: 600 }));
    tickets.set('new', { id: 'new', version: 1, title: 'Fresh', created_at: '2030-01-01T00:00:00Z' });
    change({ entity: 'ticket', id: 'new', version: 1, op: 'created', by: 'user-2' });
    const notice = await screen.findByRole('button', { name: '1 new' });
    expect(within(element).queryByText('Fresh')).toBeNull();
    await user.click(notice);
    expect(await within(element).findByText('Fresh')).toBeVisible();
    expect(screen.queryByRole('button', { name: '1 new' })).toBeNull();
  });
});

describe('a list of what was searched for', () => {
  it('is looked at again, as words are found a little after they are written', async () => {
    const { element, tickets } = await openList('/r/tickets?q=TIC');
    tickets.set('new', { id: 'new', version: 1, title: 'Fresh TIC', created_at: '2030-01-01T00:00:00Z' });
    expect(await within(element).findByText('Fresh TIC', {}, { timeout: 4_000 })).toBeVisible();
  });
});

describe('the stream', () => {
  it('has everything read again after a resync', async () => {
    const { element, tickets } = await openList();
    const before = tickets.get('ticket-3');
    tickets.set('ticket-3', { ...before, id: 'ticket-3', version: 9, title: 'Missed while away' });
    act(() => tell('resync', {}));
    expect(await within(element).findByText('Missed while away')).toBeVisible();
  });

  it('closes with the log-in page', async () => {
    const { fake, user } = await openList();
    fake.signedIn = false;
    await user.click(screen.getByRole('button', { name: 'Priority' }));
    await screen.findByRole('heading', { name: 'Log in' });
    expect(FakeStream.open).toEqual([]);
  });
});

describe('rows in pages', () => {
  const page = (ids: string[], total: number): ListPage => ({
    items: ids.map((id) => ({ id, version: 1 })),
    labels: {},
    next_cursor: null,
    total,
    total_is: 'exact',
  });

  it('are replaced and removed in whichever page they are', () => {
    const pages = { pages: [page(['a', 'b'], 4), page(['c', 'd'], 4)], pageParams: [null, 'x'] };
    const next = changePages(pages, new Map([['c', { id: 'c', version: 2 }]]), new Set(['b']));
    expect(next.pages.map(({ items }) => items.map(({ id, version }) => `${id}${version}`))).toEqual([
      ['a1'],
      ['c2', 'd1'],
    ]);
    expect(next.pages[0]?.total).toBe(3);
  });

  it('are asked for with the list’s own filter', () => {
    const mine = { field: 'assignee', op: 'eq' as const, value: '@me' };
    expect(narrowed(mine, ['a'])).toEqual({ all: [mine, { field: 'id', op: 'in', value: ['a'] }] });
    expect(narrowed(null, ['a'])).toEqual({ field: 'id', op: 'in', value: ['a'] });
  });
});
