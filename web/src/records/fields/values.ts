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

/** The same moment, however it is written: with or without milliseconds, in UTC or with an offset. */
export function sameInstant(a: string | null, b: string | null): boolean {
  return same(a, b) || (!isBlank(a) && !isBlank(b) && Date.parse(a ?? '') === Date.parse(b ?? ''));
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

/** 30 February is no day, though a lenient calendar would read 2 March. */
export function parseDate(text: string): string | undefined {
  const day = text.trim();
  const time = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day) ? day : undefined;
}

export function parseInstant(text: string): string | undefined {
  const time = Date.parse(text.trim());
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

const UNITS: [seconds: number, names: RegExp][] = [
  [604_800, /^(w|sem|week|weeks|semaine|semaines|semana|semanas)$/],
  [86_400, /^(d|j|day|days|jour|jours|día|días|dia|dias)$/],
  [3_600, /^(h|hr|hrs|hour|hours|heure|heures|hora|horas)$/],
  [60, /^(m|mn|min|mins|minute|minutes|minuto|minutos)$/],
  [1, /^(s|sec|secs|second|seconds|seconde|secondes|segundo|segundos)$/],
];

function unitOf(name: string): number | undefined {
  return UNITS.find(([, names]) => names.test(name))?.[0];
}

/** "1h30" leaves the unit of 30 out: it is the one that follows. Alone, a number counts minutes. */
function unitAfter(previous: number | undefined): number {
  if (previous === undefined) {
    return 60;
  }
  const at = UNITS.findIndex(([seconds]) => seconds === previous);
  return UNITS[at + 1]?.[0] ?? 1;
}

function isoSeconds(text: string): number | undefined {
  const match = /^p(?:(\d+)w)?(?:(\d+)d)?(?:t(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?)?$/.exec(text);
  if (!match || !/\d/.test(text)) {
    return undefined;
  }
  return UNITS.reduce((sum, [seconds], at) => sum + Number(match[at + 1] ?? 0) * seconds, 0);
}

/** "1h30", "1 h 30 min", "1,5 h", "1:30", "90" (minutes), "PT1H30M" → seconds. */
export function parseDuration(text: string): number | undefined {
  const plain = text.trim().toLowerCase().replaceAll(',', '.');
  const negative = /^[-−]/.test(plain);
  const bare = plain.replace(/^[-−+]\s*/, '');
  const clock = /^(\d+):([0-5]\d)(?::([0-5]\d))?$/.exec(bare);
  const seconds = clock
    ? Number(clock[1]) * 3_600 + Number(clock[2]) * 60 + Number(clock[3] ?? 0)
    : (isoSeconds(bare) ?? spokenSeconds(bare));
  if (seconds === undefined || !Number.isSafeInteger(seconds)) {
    return undefined;
  }
  return negative && seconds !== 0 ? -seconds : seconds;
}

function spokenSeconds(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?|\.\d+)\s*(\p{L}*)\s*/gu)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) {
    return undefined;
  }
  let sum = 0;
  let previous: number | undefined;
  for (const [at, [, amount, name]] of parts.entries()) {
    // Only the last number may go without its unit.
    const unit = name ? unitOf(name) : at === parts.length - 1 ? unitAfter(previous) : undefined;
    if (unit === undefined) {
      return undefined;
    }
    sum += Number(amount) * unit;
    previous = unit;
  }
  return Math.round(sum);
}

/** Seconds as they are typed: 5400 → "1h30", 45 → "45s". */
export function durationForTyping(seconds: number): string {
  const total = Math.abs(seconds);
  const hours = Math.floor(total / 3_600);
  const minutes = Math.floor((total % 3_600) / 60);
  const rest = total % 60;
  const two = (amount: number) => String(amount).padStart(2, '0');
  const sign = seconds < 0 ? '-' : '';
  if (hours > 0) {
    const tail = rest > 0 ? `${two(minutes)}min${two(rest)}s` : minutes > 0 ? two(minutes) : '';
    return `${sign}${hours}h${tail}`;
  }
  if (minutes > 0) {
    return `${sign}${minutes}min${rest > 0 ? `${two(rest)}s` : ''}`;
  }
  return rest > 0 ? `${sign}${rest}s` : '0min';
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

/** `#1a2b3c`, with or without its sign, also in three digits. */
export function isHexColor(text: string): boolean {
  return /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.test(text.trim());
}

/** As the server holds it: `#rrggbb`. */
export function longHex(text: string): string {
  const digits = text.trim().replace('#', '').toLowerCase();
  return `#${digits.length === 3 ? [...digits].map((digit) => digit + digit).join('') : digits}`;
}
