import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { describe, expect, it } from 'vitest';
import type { FieldMeta } from '@/api/types';
import { startServer } from '@/test/app';
import { FieldInput } from '../FieldInput';

async function form(field: FieldMeta, initial: unknown, labels: Record<string, string> = {}) {
  const { fake } = startServer({ tickets: 5 });
  const held = { value: initial };
  function Holder() {
    const [value, setValue] = useState(initial);
    held.value = value;
    return (
      <>
        <label htmlFor="it">{field.label}</label>
        <FieldInput id="it" field={field} value={value} onChange={setValue} labels={labels} states={[]} />
        <button type="button">elsewhere</button>
      </>
    );
  }
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const root = createRootRoute({ component: Holder });
  const router = createRouter({ routeTree: root, history: createMemoryHistory() });
  render(
    <QueryClientProvider client={client}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  const control = await screen.findByRole('combobox', { name: field.label });
  return { held, control, user: userEvent.setup(), fake };
}

const person = { name: 'it', type: 'link', label: 'Person', to: 'user', to_collection: 'users' } as FieldMeta;
const groups = {
  name: 'it',
  type: 'links',
  label: 'Groups',
  to: 'group',
  to_collection: 'groups',
} as FieldMeta;

describe('a link', () => {
  it('is found and chosen from the keyboard alone', async () => {
    const { held, control, user } = await form(person, null);
    await user.click(control);
    expect(await screen.findByRole('option', { name: /Awa Ndong/ })).toBeInTheDocument();
    expect(control).toHaveAttribute('aria-expanded', 'true');
    // Nothing is at hand before one says what one wants: Enter must not choose by accident.
    expect(control).not.toHaveAttribute('aria-activedescendant');
    await user.keyboard('re');
    await waitFor(() => expect(screen.queryByRole('option', { name: /Awa Ndong/ })).toBeNull());
    await screen.findByRole('option', { name: /Inès Moreau/ });
    await user.keyboard('{ArrowDown}');
    const options = screen.getAllByRole('option');
    expect(control).toHaveAttribute('aria-activedescendant', options[1]?.id);
    await user.keyboard('{ArrowUp}{Enter}');
    expect(held.value).toMatch(/^user-/);
    expect(control).toHaveAttribute('aria-expanded', 'false');
    expect((control as HTMLInputElement).value).toBe(options[0]?.firstChild?.textContent);
  });

  it('shows the title that came with the record, and gives it back when nothing was chosen', async () => {
    const { held, control, user } = await form(person, 'user-3', { 'user-3': 'João Tavares' });
    expect(control).toHaveValue('João Tavares');
    await user.click(control);
    await user.keyboard('xyz');
    expect(await screen.findByRole('status')).toHaveTextContent('Nothing found');
    await user.keyboard('{Escape}');
    expect(control).toHaveAttribute('aria-expanded', 'false');
    await user.click(screen.getByText('elsewhere'));
    expect(control).toHaveValue('João Tavares');
    expect(held.value).toBe('user-3');
  });

  it('is emptied by emptying its text, or by its button', async () => {
    const { held, control, user } = await form(person, 'user-3', { 'user-3': 'João Tavares' });
    await user.clear(control);
    await user.click(screen.getByText('elsewhere'));
    expect(held.value).toBeNull();
  });

  it('reads the title of a record it knows by id only', async () => {
    const { control } = await form(person, 'user-4');
    await waitFor(() => expect(control).toHaveValue('Clémence Obiang'));
  });

  it('asks only for what the field may point to', async () => {
    const where = { field: 'active', op: 'eq', value: true };
    const { control, user, fake } = await form({ ...person, where } as FieldMeta, null);
    await user.click(control);
    await screen.findByRole('option', { name: /Awa Ndong/ });
    expect(screen.queryByRole('option', { name: /Samuel Mba/ })).toBeNull();
    const asked = fake.requests.filter(({ url }) => url.includes('/users?')).at(-1);
    expect(JSON.parse(new URL(asked?.url ?? '').searchParams.get('filter') ?? '')).toEqual(where);
  });

  it('creates what is not there and points to it', async () => {
    const { held, control, user } = await form(
      { ...groups, type: 'link', label: 'Group' } as FieldMeta,
      null,
    );
    await user.click(control);
    await user.keyboard('Toiture');
    await user.click(await screen.findByRole('option', { name: 'Create “Toiture” (Group)' }));
    const dialog = await screen.findByRole('dialog');
    const name = await screen.findByRole('textbox', { name: /Name/ });
    expect(name).toHaveValue('Toiture');
    await user.keyboard('{Control>}{Enter}{/Control}');
    await waitFor(() => expect(dialog).not.toBeInTheDocument());
    expect(held.value).toEqual(expect.any(String));
    await waitFor(() => expect(control).toHaveValue('Toiture'));
  });
});

describe('several links', () => {
  it('are chosen one after the other and taken back by Backspace', async () => {
    const { held, control, user } = await form(groups, ['group-0'], { 'group-0': 'Support réseau' });
    await user.click(control);
    await user.keyboard('app');
    await screen.findByRole('option', { name: /Applications métier/ });
    await waitFor(() => expect(screen.queryByRole('option', { name: /Infrastructure/ })).toBeNull());
    await user.keyboard('{Enter}');
    expect(held.value).toEqual(['group-0', 'group-2']);
    expect(screen.getByRole('button', { name: 'Remove Applications métier' })).toBeInTheDocument();
    await user.keyboard('{Backspace}');
    expect(held.value).toEqual(['group-0']);
    await user.keyboard('{Backspace}');
    expect(held.value).toBeNull();
  });
});

describe('a link to anything', () => {
  it('asks first what kind of record, then which one', async () => {
    const any = { name: 'it', type: 'any_link', label: 'Target', to: ['user', 'group'] } as FieldMeta;
    const { held, control, user } = await form(any, null);
    expect(control).toBeDisabled();
    await screen.findByRole('option', { name: 'Group' });
    await user.selectOptions(screen.getByLabelText('Kind of record'), 'group');
    const text = screen.getByRole('combobox', { name: 'Target' });
    await user.click(text);
    await user.click(await screen.findByRole('option', { name: /Infrastructure/ }));
    expect(held.value).toEqual({ entity: 'group', id: 'group-3' });
    await user.selectOptions(screen.getByLabelText('Kind of record'), 'user');
    expect(held.value).toBeNull();
  });
});
