/** How numbers, dates and durations are written for a reader of a language in a time zone. */
import { dayOf } from './zone';

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>();

/** Making a formatter costs far more than using it, and a grid uses thousands. */
function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(
  key: string,
  make: () => T,
): T {
  const found = cache.get(key);
  if (found) {
    return found as T;
  }
  const made = make();
  cache.set(key, made);
  return made;
}

/** Exact: a decimal is formatted from its digits, never by way of a rounded number. */
export function formatDecimal(value: string, language: string, scale?: number): string {
  const format = cached(
    `n:${language}:${scale ?? ''}`,
    () => new Intl.NumberFormat(language, { maximumFractionDigits: scale ?? 20 }),
  );
  return format.format(value as Intl.StringNumericLiteral);
}

export function formatInteger(value: number, language: string): string {
  return cached(`i:${language}`, () => new Intl.NumberFormat(language)).format(value);
}

export function formatMoney(amount: string, currency: string, language: string, scale: number): string {
  try {
    const format = cached(
      `m:${language}:${currency}:${scale}`,
      () =>
        new Intl.NumberFormat(language, {
          style: 'currency',
          currency,
          minimumFractionDigits: Math.min(scale, 2),
          maximumFractionDigits: scale,
        }),
    );
    return format.format(amount as Intl.StringNumericLiteral);
  } catch {
    // A currency that is not an ISO code, as a company's own unit of account.
    return `${formatDecimal(amount, language, scale)} ${currency}`;
  }
}

/** A calendar day: no zone moves it. */
export function formatDate(value: string, language: string): string {
  const date = new Date(`${value}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) {
    return value;
  }
  return cached(
    `d:${language}`,
    () => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }),
  ).format(date);
}

export function formatDateTime(value: string, language: string, timeZone: string): string {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) {
    return value;
  }
  return cached(
    `t:${language}:${timeZone}`,
    () => new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone }),
  ).format(date);
}

const DAY = 86_400;

const LONG_STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365.25 * DAY],
  ['month', 30.4375 * DAY],
  ['week', 7 * DAY],
];

const SHORT_STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['hour', 3_600],
  ['minute', 60],
];

function relative(language: string, numeric: 'auto' | 'always'): Intl.RelativeTimeFormat {
  return cached(`r:${language}:${numeric}`, () => new Intl.RelativeTimeFormat(language, { numeric }));
}

/**
 * "3 hours ago", "tomorrow", "in 2 weeks"; under a minute is "now". Days are those of the calendar in the
 * reader's zone: what is due in 40 hours may be due the day after tomorrow.
 */
export function formatRelative(value: string, now: number, language: string, timeZone: string): string {
  const time = new Date(value).getTime();
  if (Number.isNaN(time)) {
    return value;
  }
  const seconds = (time - now) / 1000;
  if (Math.abs(seconds) < DAY) {
    for (const [unit, length] of SHORT_STEPS) {
      if (Math.abs(seconds) >= length) {
        return relative(language, 'always').format(Math.trunc(seconds / length), unit);
      }
    }
    return relative(language, 'auto').format(0, 'second');
  }
  const days =
    (Date.parse(dayOf(value, timeZone)) - Date.parse(dayOf(new Date(now).toISOString(), timeZone))) /
    (DAY * 1000);
  for (const [unit, length] of LONG_STEPS) {
    if (Math.abs(days) * DAY >= length) {
      // "Last year" would be wrong for what is 20 months ago.
      return relative(language, 'always').format(Math.trunc((days * DAY) / length), unit);
    }
  }
  return relative(language, 'auto').format(days, 'day');
}

/** 5400 → "1 h 30 min". */
export function formatDuration(seconds: number, language: string): string {
  const sign = seconds < 0 ? '−' : '';
  const total = Math.abs(seconds);
  const parts: [number, string][] = [
    [Math.floor(total / 86_400), 'day'],
    [Math.floor((total % 86_400) / 3_600), 'hour'],
    [Math.floor((total % 3_600) / 60), 'minute'],
    [total % 60, 'second'],
  ];
  const shown = parts.filter(([amount]) => amount > 0);
  if (shown.length === 0) {
    shown.push([0, 'minute']);
  }
  const text = shown.map(([amount, unit]) =>
    cached(
      `u:${language}:${unit}`,
      () => new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short' }),
    ).format(amount),
  );
  return sign + text.join(' ');
}

const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

/** 1536 → "1.5 kB", as the sizes of files are written. */
export function formatBytes(bytes: number, language: string): string {
  const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), BYTE_UNITS.length - 1);
  const unit = BYTE_UNITS[step] ?? 'byte';
  return cached(
    `b:${language}:${unit}`,
    () =>
      new Intl.NumberFormat(language, {
        style: 'unit',
        unit,
        unitDisplay: 'short',
        maximumFractionDigits: step === 0 ? 0 : 1,
      }),
  ).format(bytes / 1000 ** step);
}
