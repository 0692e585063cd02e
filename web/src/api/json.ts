/**
 * JSON in both directions without losing a digit.
 *
 * A JavaScript number holds about 15 significant digits. A number of the answer that fits stays a number;
 * one that does not becomes a string of its exact digits. `decodeRecord` then makes every decimal field a
 * string, whatever it came as, so nothing above this file ever does arithmetic on a rounded amount.
 */
import type { FieldMeta, RecordData } from './types';

/** Any run of digits too long for a number, also inside strings: only then the slow parser is needed. */
const LONG_NUMBER = /[\d.]{16,}/;

export async function parseJson(text: string): Promise<unknown> {
  if (!LONG_NUMBER.test(text)) {
    return JSON.parse(text);
  }
  const { parse, isSafeNumber } = await import('lossless-json');
  return parse(text, undefined, (digits) => (isSafeNumber(digits) ? Number(digits) : digits));
}

/** The digits of a number without an exponent: 1e-7 → 0.0000001. */
export function decimalText(value: unknown): string | null {
  if (typeof value === 'string') {
    return value.trim() === '' ? null : value;
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return null;
  }
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) {
    return text;
  }
  const [, sign = '', head = '', tail = '', exponentText = '0'] = match;
  const exponent = Number(exponentText);
  const digits = head + tail;
  if (exponent < 0) {
    return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  }
  return sign + digits.padEnd(exponent + 1, '0');
}

/** What stands for a value that the reader may know to be there but not see. */
export const MASK = '••••';

/** One value of an answer as the interface holds it. */
export function decodeValue(field: FieldMeta, value: unknown): unknown {
  if (value === null || value === undefined || value === MASK) {
    return value;
  }
  switch (field.type) {
    case 'decimal':
      return decimalText(value);
    case 'computed':
    case 'rollup':
      return field.returns === 'decimal' ? decimalText(value) : value;
    case 'money': {
      const money = value as { amount: unknown; currency: string };
      return { ...money, amount: decimalText(money.amount) };
    }
    case 'children':
      return Array.isArray(value) ? value.map((row) => decodeFields(field.fields, row as RecordData)) : value;
    default:
      return value;
  }
}

function decodeFields<R extends RecordData>(fields: FieldMeta[], raw: R): R {
  const record: RecordData = { ...raw };
  for (const field of fields) {
    if (field.name in record) {
      record[field.name] = decodeValue(field, record[field.name]);
    }
  }
  return record as R;
}

/** A record of an answer as the interface holds it: decimals and amounts of money are exact strings. */
export function decodeRecord(fields: FieldMeta[], raw: RecordData): RecordData {
  return decodeFields(fields, raw);
}
