/** Reading typed text as values, and comparing values: what the registry's entries are built from. */
import type { ChoiceOption } from '@/api/types';

export function isBlank(value: unknown): boolean {
  return (
    value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

export function same(a: unknown, b: unknown): boolean {
  return (isBlank(a) && isBlank(b)) || a === b;
}

/** By content, whatever the order of an object's keys. */
export function sameContent(a: unknown, b: unknown): boolean {
  if (same(a, b)) {
    return true;
  }
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return false;
  }
  if (Array.isArray(a) !== Array.isArray(b)) {
    return false;
  }
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => sameContent(left[key], right[key]));
}

/** Several choices, tags, links: the order says nothing. */
export function sameSet(a: string[] | null, b: string[] | null): boolean {
  const left = new Set(a ?? []);
  const right = new Set(b ?? []);
  return left.size === right.size && [...left].every((entry) => right.has(entry));
}

/** 12, -0.50 and 1 234,5 (a person's comma and spaces) → plain digits. */
export function parseDecimal(text: string): string | undefined {
  const digits = text
    .trim()
    .replace(/[\s\u00a0\u202f]/g, '')
    .replace(',', '.');
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(digits) ? canonicalDecimal(digits) : undefined;
}

function canonicalDecimal(digits: string): string {
  const negative = digits.startsWith('-');
  const [whole = '', fraction = ''] = digits.replace(/^[+-]/, '').split('.');
  const head = whole.replace(/^0+(?=\d)/, '') || '0';
  const text = fraction === '' ? head : `${head}.${fraction}`;
  return negative && /[1-9]/.test(text) ? `-${text}` : text;
}

/** 12.5 and 12.50 are the same amount. */
export function sameDecimal(a: string | null, b: string | null): boolean {
  if (isBlank(a) || isBlank(b)) {
    return isBlank(a) && isBlank(b);
  }
  const trim = (text: string) => {
    const plain = parseDecimal(text) ?? text;
    return plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
  };
  return trim(a ?? '') === trim(b ?? '');
}

export function parseInteger(text: string): number | undefined {
  const digits = text.trim().replace(/[\s\u00a0\u202f]/g, '');
  const value = Number(digits);
  return /^[+-]?\d+$/.test(digits) && Number.isSafeInteger(value) ? value : undefined;
}

export function parseDate(text: string): string | undefined {
  const day = text.trim();
  return /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day)) ? day : undefined;
}

export function parseInstant(text: string): string | undefined {
  const time = Date.parse(text.trim());
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

const UNITS: Record<string, number> = { d: 86_400, j: 86_400, h: 3_600, m: 60, min: 60, s: 1 };

/** "1h 30min", "90" (minutes), "PT1H30M" → seconds. */
export function parseDuration(text: string): number | undefined {
  const plain = text.trim().toLowerCase().replace(/^p/, '').replace('t', ' ');
  if (/^\d+$/.test(plain)) {
    return Number(plain) * 60;
  }
  const parts = [...plain.matchAll(/(\d+)\s*(min|[djhms])/g)];
  if (parts.length === 0 || plain.replace(/(\d+)\s*(min|[djhms])/g, '').trim() !== '') {
    return undefined;
  }
  return parts.reduce((sum, [, amount, unit = 'm']) => sum + Number(amount) * (UNITS[unit] ?? 60), 0);
}

/** By code or by label, whatever the case of letters. */
export function parseOption(text: string, options: ChoiceOption[]): string | undefined {
  const wanted = text.trim().toLowerCase();
  return options.find((option) => option.value === wanted || option.label.toLowerCase() === wanted)?.value;
}

export function parseList(text: string): string[] {
  return text
    .split(/[,;\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export function parseBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (['true', '1', 'yes', 'oui', 'sí', 'si', 'sim'].includes(word)) {
    return true;
  }
  return ['false', '0', 'no', 'non', 'não', 'nao'].includes(word) ? false : undefined;
}
