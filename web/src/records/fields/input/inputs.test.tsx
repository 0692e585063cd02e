import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import i18next from 'i18next';
import { type ReactNode, useState } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FieldMeta } from '@/api/types';
import fr from '@/locales/fr.json';
import { ReaderProvider } from '@/reader/context';
import { FieldInput } from '../FieldInput';

const PARIS = 'Europe/Paris';

interface Held {
  value: unknown;
  problem: string | null;
}

/** One control with its label, as a form holds it. Answers what the form would send. */
async function form(field: FieldMeta, initial: unknown = null, labels: Record<string, string> = {}) {
  cleanup();
  const held: Held = { value: initial, problem: null };
  let set: (value: unknown) => void = () => undefined;
  function Holder(): ReactNode {
    const [value, setValue] = useState(initial);
    held.value = value;
    set = setValue;
    return (
      <>
        <label htmlFor="it">{field.label}</label>
        <FieldInput
          id="it"
          field={field}
          value={value}
          onChange={setValue}
          onProblem={(text) => {
            held.problem = text;
          }}
          labels={labels}
          states={[]}
        />
        <button type="button">elsewhere</button>
      </>
    );
  }
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, enabled: false } } });
  render(
    <QueryClientProvider client={client}>
      <ReaderProvider timeZone={PARIS}>
        <Holder />
      </ReaderProvider>
    </QueryClientProvider>,
  );
  const control = await screen.findByLabelText<HTMLInputElement>(field.label);
  return { held, control, user: userEvent.setup(), set: (value: unknown) => set(value) };
}

function field(type: FieldMeta['type'], more: Record<string, unknown> = {}): FieldMeta {
  return { name: 'it', type, label: 'The value', ...more } as FieldMeta;
}

async function typed(meta: FieldMeta, text: string, initial: unknown = null) {
  const { held, control, user } = await form(meta, initial);
  await user.clear(control);
  if (text !== '') {
    await user.type(control, text);
  }
  return held;
}

const decimal = field('decimal', { precision: 18, scale: 3 });
const money = field('money', { precision: 18, scale: 2, currency: 'EUR' });

describe('a decimal', () => {
  it.each([
    ['12,5', '12.5'],
    ['9007199254740.993', '9007199254740.993'],
    ['-0', '0'],
    ['00,10', '0.1'],
  ])('typed as %s is sent as the digits %s', async (text, digits) => {
    expect(await typed(decimal, text)).toEqual({ value: digits, problem: null });
  });

  it('is null when it is emptied', async () => {
    expect((await typed(decimal, '', '12.5')).value).toBeNull();
  });

  it('keeps what was there while the text is none, and says so', async () => {
    const held = await typed(decimal, '12,5x', '7');
    expect(held.value).toBe('12.5');
    expect(held.problem).toContain('number');
  });

  it('is never rounded: too many decimals are refused', async () => {
    const held = await typed(decimal, '1.2345', '7');
    expect(held.value).toBe('1.234');
    expect(held.problem).toBe('At most 3 decimals');
  });

  it('leaves the text to the person while it is typed, and tidies it after', async () => {
    const { control, user, held } = await form(decimal);
    await user.type(control, '12.');
    expect(control).toHaveValue('12.');
    expect(held.value).toBe('12');
    await user.click(screen.getByText('elsewhere'));
    expect(control).toHaveValue('12');
  });

  it('follows a value that comes from outside', async () => {
    const { control, user, set } = await form(decimal, '1');
    await user.type(control, '.x');
    set('42.5');
    expect(await screen.findByDisplayValue('42.5')).toBe(control);
  });

  describe('in French', () => {
    beforeEach(async () => {
      i18next.addResourceBundle('fr', 'translation', fr);
      await i18next.changeLanguage('fr');
    });
    afterEach(async () => {
      await i18next.changeLanguage('en');
    });

    it('is offered with a comma and takes both marks', async () => {
      const { control, user, held } = await form(decimal, '1234.5');
      expect(control).toHaveValue('1234,5');
      await user.clear(control);
      await user.type(control, '1 234.25');
      expect(held.value).toBe('1234.25');
    });
  });
});

describe('an amount of money', () => {
  it('is sent with its currency, exactly', async () => {
    expect((await typed(money, '1234567890123.45')).value).toEqual({
      amount: '1234567890123.45',
      currency: 'EUR',
    });
  });

  it('can be in another currency, and is nothing without an amount', async () => {
    const { held, control, user } = await form(money, { amount: '5', currency: 'EUR' });
    const currency = screen.getByLabelText('Currency');
    await user.clear(currency);
    await user.type(currency, 'xaf');
    expect(held.value).toEqual({ amount: '5', currency: 'XAF' });
    await user.clear(control);
    expect(held.value).toBeNull();
  });
});

describe('whole numbers and durations', () => {
  it('refuse fractions and what is out of bounds', async () => {
    const integer = field('integer', { min: 0, max: 10 });
    expect(await typed(integer, '7')).toEqual({ value: 7, problem: null });
    expect((await typed(integer, '1.5')).problem).toBe('Enter a whole number.');
    expect((await typed(integer, '11')).problem).toBe('At most 10');
  });

  it('read hours and minutes as people write them', async () => {
    expect((await typed(field('duration'), '1h30')).value).toBe(5_400);
    expect((await typed(field('duration'), '')).value).toBeNull();
  });
});

describe('a moment', () => {
  it('is typed by the clock of the reader and sent in UTC', async () => {
    const { held, control } = await form(field('datetime'), '2026-05-03T12:30:00Z');
    expect(control).toHaveValue('2026-05-03T14:30');
    expect(screen.getByText('Europe/Paris (GMT+2)')).toBeInTheDocument();
    fireEvent.change(control, { target: { value: '2026-12-03T14:30' } });
    expect(held.value).toBe('2026-12-03T13:30:00Z');
  });

  it('says what is meant where the clocks skip an hour', async () => {
    const { held, control } = await form(field('datetime'));
    fireEvent.change(control, { target: { value: '2026-03-29T02:30' } });
    expect(held.value).toBe('2026-03-29T01:30:00Z');
    expect(screen.getByRole('status')).toHaveTextContent('this hour does not exist');
  });

  it('is emptied to null', async () => {
    const { held, control } = await form(field('datetime'), '2026-05-03T12:30:00Z');
    fireEvent.change(control, { target: { value: '' } });
    expect(held.value).toBeNull();
  });
});

describe('texts', () => {
  it('are counted, never cut off', async () => {
    const held = await typed(field('text', { max: 5 }), 'abcdefg', 'old');
    expect(held.value).toBe('abcde');
    expect(held.problem).toBe('2 characters too many');
  });

  it.each(['text', 'long_text', 'rich_text', 'email', 'phone', 'url'] as const)(
    'of type %s are null when they are emptied',
    async (type) => {
      expect((await typed(field(type), '', 'there')).value).toBeNull();
      expect((await typed(field(type), 'né à Orléans ✓')).value).toBe('né à Orléans ✓');
    },
  );

  it('of a colour are written as the server holds them', async () => {
    expect((await typed(field('color'), 'ABC')).value).toBe('#aabbcc');
    expect((await typed(field('color'), 'blue')).problem).toContain('#1a2b3c');
  });

  it('of JSON are checked as they are typed', async () => {
    const { held, control } = await form(field('json'));
    fireEvent.change(control, { target: { value: '{"a": [1, null]}' } });
    expect(held).toEqual({ value: { a: [1, null] }, problem: null });
    fireEvent.change(control, { target: { value: '{"a": ' } });
    expect(held.value).toEqual({ a: [1, null] });
    expect(held.problem).toBe('This is not valid JSON.');
  });

  it('that are secret show only that they are there', async () => {
    const { held, control, user } = await form(field('secret'), '••••');
    expect(control).toHaveValue('');
    expect(control).toHaveAttribute('placeholder', 'Set: type to replace it');
    await user.type(control, 's3cret');
    expect(held.value).toBe('s3cret');
    await user.clear(control);
    expect(held.value).toBeNull();
  });
});

describe('choices', () => {
  const options = [
    { value: 'a', label: 'Alpha' },
    { value: 'b', label: 'Beta' },
    { value: 'c', label: 'Gamma' },
  ];

  it('of one can be nothing unless the field is required', async () => {
    const { held, control, user } = await form(field('choice', { options }), 'b');
    await user.selectOptions(control, 'Alpha');
    expect(held.value).toBe('a');
    await user.selectOptions(control, '');
    expect(held.value).toBeNull();
    const needed = await form(field('choice', { options, required: true }), 'b');
    expect(needed.control.querySelector('option[value=""]')).toBeNull();
  });

  it('keep a code that is no longer offered until another one is chosen', async () => {
    const { control } = await form(field('choice', { options }), 'gone');
    expect(control).toHaveValue('gone');
  });

  it('of several come in declared order, and none of them is null', async () => {
    const { held, user } = await form(field('choices', { options }), ['b']);
    await user.click(screen.getByLabelText('Gamma'));
    await user.click(screen.getByLabelText('Alpha'));
    expect(held.value).toEqual(['a', 'b', 'c']);
    for (const name of ['Alpha', 'Beta', 'Gamma']) {
      await user.click(screen.getByLabelText(name));
    }
    expect(held.value).toBeNull();
  });
});

describe('tags', () => {
  it('are words ended by Enter or a comma; a word that was left counts too', async () => {
    const { held, control, user } = await form(field('tags'), ['vip']);
    await user.type(control, 'réseau{Enter}paie,VIP{Enter}urgent');
    await user.click(screen.getByText('elsewhere'));
    expect(held.value).toEqual(['vip', 'réseau', 'paie', 'urgent']);
    await user.click(screen.getByRole('button', { name: 'Remove vip' }));
    expect(held.value).toEqual(['réseau', 'paie', 'urgent']);
    await user.click(control);
    await user.keyboard('{Backspace}{Backspace}{Backspace}');
    expect(held.value).toBeNull();
  });
});

describe('a place', () => {
  it('needs both its coordinates', async () => {
    const { held, user } = await form(field('geo'));
    await user.type(screen.getByLabelText('Latitude'), '-0,72');
    expect(held).toEqual({ value: null, problem: 'Enter both latitude and longitude.' });
    await user.type(screen.getByLabelText('Longitude'), '8.78');
    expect(held).toEqual({ value: { lat: -0.72, lon: 8.78 }, problem: null });
    await user.clear(screen.getByLabelText('Latitude'));
    await user.type(screen.getByLabelText('Latitude'), '90.5');
    expect(held.problem).toContain('between');
  });
});

it('says yes and no', async () => {
  const { held, control, user } = await form(field('boolean'), null);
  await user.click(control);
  expect(held.value).toBe(true);
  await user.click(control);
  expect(held.value).toBe(false);
});

describe('formatting a text', () => {
  it('by its buttons and keys', async () => {
    document.execCommand = vi.fn(() => false);
    const { held, control, user } = await form(field('rich_text'), 'word');
    control.setSelectionRange(0, 4);
    await user.click(screen.getByRole('button', { name: 'Bold' }));
    expect(held.value).toBe('**word**');
    control.setSelectionRange(2, 6);
    fireEvent.keyDown(control, { key: 'b', ctrlKey: true });
    expect(held.value).toBe('word');
  });
});
