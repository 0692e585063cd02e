import { describe, expect, it } from 'vitest';
import { decimalText, decodeRecord, parseJson } from './json';
import type { FieldMeta } from './types';

describe('numbers of an answer', () => {
  it('keep every digit, however many there are', async () => {
    const text = '{"a": 12345678901234567.123456789, "b": 0.1, "c": 7, "d": "1234567890123456789"}';
    expect(await parseJson(text)).toEqual({
      a: '12345678901234567.123456789',
      b: 0.1,
      c: 7,
      d: '1234567890123456789',
    });
  });

  it('are written without an exponent', () => {
    expect([1e-7, 1.5e-9, 1e21, -2.5e22, 12.5].map(decimalText)).toEqual([
      '0.0000001',
      '0.0000000015',
      '1000000000000000000000',
      '-25000000000000000000000',
      '12.5',
    ]);
  });
});

describe('a record', () => {
  const decimal = { type: 'decimal', label: '', precision: 18, scale: 6 } as const;
  const fields: FieldMeta[] = [
    { ...decimal, name: 'hours' },
    { name: 'cost', type: 'money', label: '', precision: 18, scale: 2, currency: 'EUR' },
    { name: 'count', type: 'integer', label: '' },
    {
      name: 'lines',
      type: 'children',
      label: '',
      of: 'line',
      via: 'ticket',
      fields: [{ ...decimal, name: 'price' }],
    },
  ];

  it('holds its decimals as text, also in money and in rows of its own, and its integers as numbers', () => {
    const record = decodeRecord(fields, {
      id: '1',
      version: 2,
      hours: 1.5,
      cost: { amount: 12.5, currency: 'EUR' },
      count: 3,
      lines: [{ id: '2', price: 0.1 }],
    });
    expect(record).toEqual({
      id: '1',
      version: 2,
      hours: '1.5',
      cost: { amount: '12.5', currency: 'EUR' },
      count: 3,
      lines: [{ id: '2', price: '0.1' }],
    });
  });

  it('keeps empty values empty and makes no fields it did not have', () => {
    expect(decodeRecord(fields, { id: '1', version: 1, hours: null })).toEqual({
      id: '1',
      version: 1,
      hours: null,
    });
  });
});
