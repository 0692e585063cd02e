import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { describe, expect, it } from 'vitest';
import type { FieldMeta } from '@/api/types';
import { FieldInput } from '../FieldInput';

const lines = {
  name: 'lines',
  type: 'children',
  label: 'Lines',
  of: 'line',
  via: 'order',
  fields: [
    { name: 'item', type: 'text', label: 'Item', required: true },
    { name: 'price', type: 'decimal', label: 'Price', precision: 18, scale: 2 },
    { name: 'total', type: 'computed', label: 'Total', returns: 'decimal', writable: false },
  ],
} as unknown as FieldMeta;

const two = [
  { id: 'r1', item: 'Joint', price: '3.50', total: '7' },
  { id: 'r2', item: 'Boulon', price: '0.25', total: '4' },
];

async function form(initial: unknown, errors?: Record<string, string>) {
  const held: { value: unknown; problem: string | null } = { value: initial, problem: null };
  function Holder() {
    const [value, setValue] = useState(initial);
    held.value = value;
    return (
      <FieldInput
        id="lines"
        field={lines}
        value={value}
        onChange={setValue}
        onProblem={(text) => {
          held.problem = text;
        }}
        errors={errors}
        labels={{}}
        states={[]}
      />
    );
  }
  render(<Holder />);
  await screen.findByRole('group', { name: 'Lines' });
  return { held, user: userEvent.setup() };
}

const cell = (name: string) => screen.findByRole('textbox', { name });

describe('rows of a record', () => {
  it('are edited in place, and keep what identifies them', async () => {
    const { held, user } = await form(two);
    const price = await cell('Price, row 2');
    await user.clear(price);
    await user.type(price, '0,35');
    expect(held.value).toEqual([two[0], { ...two[1], price: '0.35' }]);
  });

  it('are added at the end, the focus in the first cell', async () => {
    const { held, user } = await form(null);
    await user.click(screen.getByRole('button', { name: 'Add a row' }));
    await waitFor(async () => expect(await cell('Item, row 1')).toHaveFocus());
    await user.keyboard('Vis');
    expect(held.value).toEqual([{ item: 'Vis' }]);
  });

  it('follow Enter down the column, past the end into a new row', async () => {
    const { held, user } = await form(two);
    await user.click(await cell('Price, row 1'));
    await user.keyboard('{Enter}');
    await waitFor(async () => expect(await cell('Price, row 2')).toHaveFocus());
    await user.keyboard('{Enter}');
    await waitFor(async () => expect(await cell('Price, row 3')).toHaveFocus());
    expect(held.value).toHaveLength(3);
  });

  it('change places by Alt and the arrows, and it is said', async () => {
    const { held, user } = await form(two);
    const first = await cell('Item, row 1');
    await user.click(first);
    await user.keyboard('{Alt>}{ArrowDown}{/Alt}');
    expect(held.value).toEqual([two[1], two[0]]);
    // The row took its cells along: the focus moved with it.
    expect(first).toHaveFocus();
    expect(screen.getByRole('status')).toHaveTextContent('Row 1 is now row 2');
    await user.keyboard('{Alt>}{ArrowDown}{/Alt}');
    expect(held.value).toEqual([two[1], two[0]]);
    await user.click(screen.getByRole('button', { name: 'Move row 2 up' }));
    expect(held.value).toEqual(two);
  });

  it('are removed, the last one too, and the focus stays near', async () => {
    const { held, user } = await form(two);
    await user.click(screen.getByRole('button', { name: 'Remove row 1' }));
    expect(held.value).toEqual([two[1]]);
    await waitFor(async () => expect(await cell('Item, row 1')).toHaveFocus());
    await user.click(screen.getByRole('button', { name: 'Remove row 1' }));
    expect(held.value).toBeNull();
    expect(screen.getByRole('button', { name: 'Add a row' })).toHaveFocus();
  });

  it('say what cannot be read until it is put right or gone', async () => {
    const { held, user } = await form(two);
    await user.type(await cell('Price, row 1'), 'x');
    expect(held.problem).toContain('number');
    await user.click(screen.getByRole('button', { name: 'Remove row 1' }));
    expect(held.problem).toBeNull();
  });

  it('show the errors of the server at their cells, and computed values as text', async () => {
    await form(two, { '1.price': 'Too cheap.' });
    const price = await cell('Price, row 2');
    expect(price).toBeInvalid();
    expect(price).toHaveAccessibleDescription('Too cheap.');
    const rows = screen.getAllByRole('row');
    expect(within(rows[1] as HTMLElement).getByText('7')).toBeInTheDocument();
    expect(screen.queryByRole('textbox', { name: 'Total, row 1' })).toBeNull();
  });
});
