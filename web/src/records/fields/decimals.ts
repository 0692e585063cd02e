/**
 * Decimals as a person types them, and their limits. Everything works on digits: a number of JavaScript
 * never stands between the keyboard and the server.
 */
import { parseDecimal } from './values';

interface Marks {
  decimal: string;
  group: string;
}

const known = new Map<string, Marks>();

/** How the language writes the decimal mark and groups of thousands. */
function marksOf(language: string): Marks {
  const found = known.get(language);
  if (found) {
    return found;
  }
  const parts = new Intl.NumberFormat(language).formatToParts(1_234_567.8);
  const part = (type: string) => parts.find((candidate) => candidate.type === type)?.value;
  const marks = { decimal: part('decimal') ?? '.', group: part('group') ?? '' };
  known.set(language, marks);
  return marks;
}

const SPACES = /[\s\u00a0\u202f'’_]/g;
const MINUS = /^[-−–]/;

function isGrouped(whole: string, mark: string): boolean {
  const groups = whole.split(mark);
  return groups.every((group, at) => (at === 0 ? /^\d{1,3}$/ : /^\d{3}$/).test(group));
}

/** With both a comma and a dot the last one is the decimal mark, and the other one groups. */
function withBoth(digits: string): string | undefined {
  const decimal = digits.lastIndexOf(',') > digits.lastIndexOf('.') ? ',' : '.';
  const group = decimal === ',' ? '.' : ',';
  const [whole = '', fraction = '', ...rest] = digits.split(decimal);
  return rest.length === 0 && isGrouped(whole, group) && !fraction.includes(group)
    ? `${whole.replaceAll(group, '')}.${fraction}`
    : undefined;
}

/** With one kind of mark, whether it groups or divides is a matter of how often and where it stands. */
function withOne(digits: string, mark: string, language: string): string | undefined {
  const count = digits.split(mark).length - 1;
  const groups = count > 1 || (mark === marksOf(language).group && /^[1-9]\d{0,2}[.,]\d{3}$/.test(digits));
  if (groups) {
    return isGrouped(digits, mark) ? digits.replaceAll(mark, '') : undefined;
  }
  return digits.replace(mark, '.');
}

/**
 * `1 234,5`, `1,234.5`, `12,50` and `−3` as plain digits. Comma and dot are both taken for the decimal mark,
 * except where the reader's language reads them as thousands: `1,234` is 1234 in English, 1.234 in French.
 */
export function readDecimal(text: string, language: string): string | undefined {
  const bare = text.trim().replace(SPACES, '');
  const sign = MINUS.test(bare) ? '-' : '';
  const digits = bare.replace(MINUS, '').replace(/^\+/, '');
  const comma = digits.includes(',');
  const dot = digits.includes('.');
  const plain =
    comma && dot ? withBoth(digits) : comma || dot ? withOne(digits, comma ? ',' : '.', language) : digits;
  return plain === undefined ? undefined : parseDecimal(sign + plain);
}

/** The digits as they are typed in the reader's language: its own mark, no groups. */
export function decimalForTyping(value: string, language: string): string {
  return value.replace('.', marksOf(language).decimal);
}

/** Negative, zero or positive, as `sort` wants it. */
export function compareDecimals(a: string, b: string): number {
  const scale = Math.max(fractionOf(a).length, fractionOf(b).length);
  const scaled = (value: string) => BigInt(wholeOf(value) + fractionOf(value).padEnd(scale, '0'));
  const left = scaled(a);
  const right = scaled(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

function wholeOf(value: string): string {
  return value.split('.')[0] ?? '0';
}

function fractionOf(value: string): string {
  return value.split('.')[1] ?? '';
}

export type DecimalFault =
  | { fault: 'too_precise'; count: number }
  | { fault: 'too_large'; count: number }
  | { fault: 'too_small_for' | 'too_large_for'; bound: string };

interface DecimalLimits {
  precision?: number;
  scale?: number;
  min?: number | string | null;
  max?: number | string | null;
}

/** What the server would refuse: it never rounds, so neither may the form. */
export function decimalFault(value: string, limits: DecimalLimits): DecimalFault | null {
  const { scale, precision, min, max } = limits;
  const fraction = fractionOf(value).replace(/0+$/, '');
  if (scale !== undefined && fraction.length > scale) {
    return { fault: 'too_precise', count: scale };
  }
  const room = precision === undefined || scale === undefined ? undefined : precision - scale;
  const whole = wholeOf(value).replace('-', '');
  if (room !== undefined && whole !== '0' && whole.length > room) {
    return { fault: 'too_large', count: room };
  }
  const low = min === null || min === undefined ? undefined : parseDecimal(String(min));
  if (low !== undefined && compareDecimals(value, low) < 0) {
    return { fault: 'too_small_for', bound: low };
  }
  const high = max === null || max === undefined ? undefined : parseDecimal(String(max));
  if (high !== undefined && compareDecimals(value, high) > 0) {
    return { fault: 'too_large_for', bound: high };
  }
  return null;
}
