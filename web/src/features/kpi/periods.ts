/** Periods of indicators as a calendar counts them, and how they are written. Days are `2026-03-01`, of no zone. */

export type Frequency = 'DAILY' | 'WEEKLY' | 'MONTHLY';

export const FREQUENCIES: Frequency[] = ['MONTHLY', 'WEEKLY', 'DAILY'];

const DAY = 86_400_000;

function at(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function addDays(start: string, days: number): string {
  return day(new Date(at(start).getTime() + days * DAY));
}

/** The Monday of the week that holds a day. */
function monday(of: string): string {
  return addDays(of, -((at(of).getUTCDay() + 6) % 7));
}

/** Week and year of the ISO calendar: a week belongs to the year of its Thursday. */
export function isoWeek(start: string): { week: number; year: number } {
  const year = Number(addDays(monday(start), 3).slice(0, 4));
  const first = monday(`${year}-01-04`);
  return { week: Math.round((at(monday(start)).getTime() - at(first).getTime()) / (7 * DAY)) + 1, year };
}

/** What a sheet of values shows at once: a year, or a month where each day has a value. */
export function windowOf(frequency: Frequency, today: string): string {
  return frequency === 'DAILY' ? today.slice(0, 7) : today.slice(0, 4);
}

export function isWindow(frequency: Frequency, text: string | undefined): text is string {
  return (frequency === 'DAILY' ? /^\d{4}-(0[1-9]|1[0-2])$/ : /^\d{4}$/).test(text ?? '');
}

export function shiftWindow(window: string, by: number): string {
  const [year = 0, month] = window.split('-').map(Number);
  if (month === undefined) {
    return String(year + by).padStart(4, '0');
  }
  return day(new Date(Date.UTC(year, month - 1 + by, 1))).slice(0, 7);
}

/** The first days of the periods that begin in a window. */
export function periodsIn(frequency: Frequency, window: string): string[] {
  if (frequency === 'MONTHLY') {
    return Array.from({ length: 12 }, (_none, month) => `${window}-${String(month + 1).padStart(2, '0')}-01`);
  }
  const starts: string[] = [];
  let start = frequency === 'DAILY' ? `${window}-01` : monday(`${window}-01-04`);
  const inside = () =>
    frequency === 'DAILY' ? start.startsWith(window) : isoWeek(start).year === Number(window);
  while (inside()) {
    starts.push(start);
    start = addDays(start, frequency === 'DAILY' ? 1 : 7);
  }
  return starts;
}

export function periodEnd(frequency: Frequency, start: string): string {
  switch (frequency) {
    case 'DAILY':
      return start;
    case 'WEEKLY':
      return addDays(start, 6);
    case 'MONTHLY': {
      const [year = 0, month = 1] = start.split('-').map(Number);
      return day(new Date(Date.UTC(year, month, 0)));
    }
  }
}

/** The same period a year before; days are compared with no year. */
export function yearBefore(frequency: string, start: string): string | null {
  switch (frequency) {
    case 'MONTHLY':
      return `${String(Number(start.slice(0, 4)) - 1).padStart(4, '0')}${start.slice(4)}`;
    case 'WEEKLY':
      return addDays(start, -364);
    default:
      return null;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

function written(start: string, language: string, options: Intl.DateTimeFormatOptions): string {
  const key = language + JSON.stringify(options);
  const format = formats.get(key) ?? new Intl.DateTimeFormat(language, { ...options, timeZone: 'UTC' });
  formats.set(key, format);
  return format.format(at(start));
}

type Words = (key: string, values: Record<string, string | number>) => string;

/** A period as one calls it: a month, a week with its number, a day. */
export function periodName(frequency: string, start: string, language: string, t: Words): string {
  switch (frequency) {
    case 'MONTHLY':
    case 'month':
      return written(start, language, { month: 'short', year: 'numeric' });
    case 'WEEKLY':
      return t('period.week', isoWeek(start));
    case 'quarter':
      return t('period.quarter', {
        quarter: Math.ceil(Number(start.slice(5, 7)) / 3),
        year: start.slice(0, 4),
      });
    case 'year':
      return start.slice(0, 4);
    default:
      return written(start, language, { day: 'numeric', month: 'short', year: 'numeric' });
  }
}

/** A window as its heading: the year, or the month. */
export function windowName(window: string, language: string): string {
  return window.length === 4 ? window : written(`${window}-01`, language, { month: 'long', year: 'numeric' });
}
