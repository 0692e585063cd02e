import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { describe, expect, it } from 'vitest';
import { openApp, startServer } from '@/test/app';

const grid = () => screen.findByRole('grid', { name: 'Tickets' });
const rows = (element: HTMLElement) =>
  within(element)
    .getAllByRole('row')
    .filter((row) => row.hasAttribute('data-row'));
const selected = (element: HTMLElement) =>
  rows(element)
    .filter((row) => row.getAttribute('aria-selected') === 'true')
    .map((row) => row.getAttribute('data-row'));
const active = (element: HTMLElement) => element.getAttribute('aria-activedescendant');

async function openList(address: string) {
  const server = startServer();
  const app = openApp(address);
  const element = await grid();
  await within(element).findAllByText(/^TIC-0\d+$/);
  return { ...server, ...app, element };
}

describe('the grid', () => {
  it('says how many rows and columns there are, and draws a part of them', async () => {
    const { element } = await openList('/r/tickets');
    expect(element).toHaveAttribute('aria-rowcount', '61');
    expect(element).toHaveAttribute('aria-colcount', '9');
    expect(rows(element).length).toBeLessThan(60);
    expect(rows(element)[0]).toHaveAttribute('aria-rowindex', '2');
    expect(within(element).getByRole('columnheader', { name: 'Priority' })).toHaveAttribute(
      'aria-sort',
      'none',
    );
  });

  it('is walked with the keyboard, and opens what it stands on beside the list', async () => {
    const { element, user, search } = await openList('/r/tickets');
    element.focus();
    await user.keyboard('{ArrowDown}{ArrowDown}{ArrowRight}');
    expect(active(element)).toBe('row-ticket-2-2');
    await user.keyboard('{Home}');
    expect(active(element)).toBe('row-ticket-2-0');
    await user.keyboard('{Enter}');
    await waitFor(() => expect(search()).toEqual({ open: 'ticket-2' }));
    expect(await screen.findByRole('complementary', { name: 'Record: Ticket' })).toBeVisible();
    await user.keyboard('{Escape}');
    await waitFor(() => expect(search()).toEqual({}));
  });

  it('selects with Space, extends with Shift and the arrows, and lets go with Escape', async () => {
    const { element, user } = await openList('/r/tickets');
    element.focus();
    await user.keyboard(' {Shift>}{ArrowDown}{ArrowDown}{/Shift}');
    expect(selected(element)).toEqual(['ticket-0', 'ticket-1', 'ticket-2']);
    expect(screen.getByText('3 selected')).toBeVisible();
    await user.keyboard('{Escape}');
    expect(selected(element)).toEqual([]);
  });

  it('selects with the mouse: one box, then a range with Shift', async () => {
    const { element, user } = await openList('/r/tickets');
    const box = (name: RegExp) => within(element).getByRole('gridcell', { name });
    await user.click(box(/^Select TIC-019999/));
    await user.keyboard('{Shift>}');
    await user.click(box(/^Select TIC-019996/));
    await user.keyboard('{/Shift}');
    expect(selected(element)).toEqual(['ticket-1', 'ticket-2', 'ticket-3', 'ticket-4']);
  });

  it('sorts by a column and, with Shift, by one more', async () => {
    const { element, user, search } = await openList('/r/tickets');
    await user.click(within(element).getByRole('button', { name: 'Priority' }));
    await waitFor(() => expect(search()).toEqual({ sort: ['priority'] }));
    await user.keyboard('{Shift>}');
    await user.click(within(element).getByRole('button', { name: 'Title' }));
    await user.keyboard('{/Shift}');
    await waitFor(() => expect(search()).toEqual({ sort: ['priority', 'title'] }));
    expect(within(element).getByRole('columnheader', { name: /Priority/ })).toHaveAttribute(
      'aria-sort',
      'ascending',
    );
  });

  it('moves and widens a column from the keyboard', async () => {
    const { element, user, search } = await openList('/r/tickets?columns=number,title,status');
    element.focus();
    await user.keyboard('{ArrowUp}{ArrowRight}{Alt>}{Shift>}{ArrowRight}{/Shift}{/Alt}');
    await waitFor(() => expect(search()).toEqual({ columns: ['number', 'status', 'title'] }));
    await user.keyboard('{Alt>}{ArrowRight}{/Alt}');
    await waitFor(() => expect(localStorage.getItem('opsflux.widths.ticket')).toContain('"title":336'));
  });
});

describe('the address', () => {
  it('restores view, filter, sort, columns and open record', async () => {
    const filter = JSON.stringify({ field: 'status', op: 'in', value: ['new'] });
    startServer();
    openApp(
      `/r/tickets?view=module:mine&filter=${encodeURIComponent(filter)}&sort=["title"]&columns=["title","status"]&open=ticket-0`,
    );
    const element = await grid();
    await within(element).findAllByText('New');
    expect(screen.getByRole('button', { name: /My tickets/ })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Status is New' })).toBeVisible();
    const headers = within(element).getAllByRole('columnheader');
    expect(headers.map((header) => header.textContent)).toEqual(['Select all rows', 'Title', 'Status']);
    expect(headers[1]).toHaveAttribute('aria-sort', 'ascending');
    expect(await screen.findByRole('complementary')).toBeVisible();
    expect(new Set(rows(element).map((row) => within(row).getByText('New').textContent))).toEqual(
      new Set(['New']),
    );
  });

  it('follows what is typed into the search box, without anything to press', async () => {
    const { user, search, element } = await openList('/r/tickets');
    await user.keyboard('/');
    await user.keyboard('vpn');
    await waitFor(() => expect(search()).toEqual({ q: 'vpn' }));
    await waitFor(() => expect(within(element).queryByText(/Imprimante/)).toBeNull());
    expect(within(element).getAllByText(/VPN/).length).toBeGreaterThan(0);
  });
});

describe('a bulk edit', () => {
  it('reports each row, and leaves those selected that were refused', async () => {
    const { element, user, fake } = await openList('/r/tickets?sort=["number"]&columns=["number","status"]');
    const closed = [...(fake.collections.get('tickets')?.values() ?? [])].filter(
      ({ status }) => status === 'closed',
    );
    element.focus();
    await user.keyboard('{Control>}a{/Control}');
    await user.click(screen.getByRole('button', { name: 'Edit' }));
    const dialog = await screen.findByRole('dialog', { name: 'Edit 60 records' });
    await user.selectOptions(within(dialog).getByRole('combobox', { name: 'Field' }), 'priority');
    expect(within(dialog).getByRole('button', { name: 'Change 60 records' })).toBeDisabled();
    await user.selectOptions(await within(dialog).findByLabelText('New value'), 'low');
    await user.click(within(dialog).getByRole('button', { name: 'Change 60 records' }));
    expect(
      await within(dialog).findByText(`${60 - closed.length} changed, ${closed.length} refused`),
    ).toBeVisible();
    expect(within(dialog).getAllByText('This ticket is closed.')).toHaveLength(closed.length);
    await user.click(within(dialog).getAllByRole('button', { name: 'Close' })[0] as HTMLElement);
    expect(await screen.findByText(`${closed.length} selected`)).toBeVisible();
    const [first] = closed;
    expect(fake.collections.get('tickets')?.get(first?.id ?? '')?.priority).toBe(first?.priority);
  });
});

describe('deleting', () => {
  it('takes the rows away at once and brings them back by one click', async () => {
    const { element, user, fake } = await openList('/r/tickets');
    element.focus();
    await user.keyboard(' {Shift>}{ArrowDown}{/Shift}');
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    expect(await screen.findByText('2 records deleted')).toBeVisible();
    await waitFor(() => expect(within(element).queryByText('TIC-020000')).toBeNull());
    expect(fake.collections.get('tickets')?.get('ticket-1')?._deleted).toBe(true);
    await user.click(screen.getByRole('button', { name: 'Undo' }));
    expect(await within(element).findByText('TIC-020000')).toBeVisible();
    expect(await screen.findByText('2 records restored')).toBeVisible();
  });
});

describe('without rows', () => {
  it('says that nothing matches and offers to drop the filter', async () => {
    startServer();
    const filter = encodeURIComponent(JSON.stringify({ field: 'title', op: 'contains', value: 'zzz' }));
    const { user, search } = openApp(`/r/tickets?filter=${filter}`);
    expect(await screen.findByText('No results')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Clear the filter' }));
    await waitFor(() => expect(search()).toEqual({ filter: null }));
    expect(await grid()).toBeVisible();
  });

  it('says what went wrong, and reads again when asked', async () => {
    const { server } = startServer();
    server.use(
      http.get(
        '*/api/v1/tickets',
        () => HttpResponse.json({ title: 'Too slow', detail: 'The database is busy.' }, { status: 503 }),
        {
          once: true,
        },
      ),
    );
    const { user } = openApp('/r/tickets');
    expect(await screen.findByText('The database is busy.')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await grid()).toBeVisible();
  });
});
