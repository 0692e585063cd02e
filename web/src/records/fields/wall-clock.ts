/**
 * Between an instant and what the clock on the wall of a time zone shows. Twice a year that is not one to
 * one: an hour that is skipped has no instant, an hour that is repeated has two.
 */
import { wallClock } from '@/reader/zone';

const DAY = 86_400_000;

/** Milliseconds by which the zone is ahead of UTC at an instant. */
function offsetAt(time: number, timeZone: string): number {
  const minute = Math.floor(time / 60_000) * 60_000;
  return Date.parse(`${wallClock(new Date(minute).toISOString(), timeZone)}Z`) - minute;
}

function isoOf(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}

/** Every instant at which the wall clock shows this moment (`2026-03-29T02:30`), in order. */
export function instantsAt(moment: string, timeZone: string): string[] {
  const utc = Date.parse(`${moment}Z`);
  if (Number.isNaN(utc)) {
    return [];
  }
  // No zone changes its clocks twice within two days.
  const offsets = new Set([offsetAt(utc - DAY, timeZone), offsetAt(utc + DAY, timeZone)]);
  return [...offsets]
    .map((offset) => utc - offset)
    .filter((time) => offsetAt(time, timeZone) === utc - time)
    .sort((a, b) => a - b)
    .map(isoOf);
}

export interface Moment {
  instant: string;
  /** `skipped`: the clock never showed it; `repeated`: it showed it twice. */
  kind: 'once' | 'skipped' | 'repeated';
}

/**
 * The instant a typed moment means. In a skipped hour it is what the clock shows after the change; in a
 * repeated one the first, unless `near` (the instant that was there before) says it is the second.
 */
export function momentAt(moment: string, timeZone: string, near: string | null): Moment | null {
  const utc = Date.parse(`${moment}Z`);
  if (Number.isNaN(utc)) {
    return null;
  }
  const [first, second] = instantsAt(moment, timeZone);
  if (first === undefined) {
    return { instant: isoOf(utc - offsetAt(utc - DAY, timeZone)), kind: 'skipped' };
  }
  if (second === undefined) {
    return { instant: first, kind: 'once' };
  }
  const kept =
    near !== null && offsetAt(Date.parse(near), timeZone) === offsetAt(Date.parse(second), timeZone);
  return { instant: kept && isNear(near, second) ? second : first, kind: 'repeated' };
}

function isNear(a: string, b: string): boolean {
  return Math.abs(Date.parse(a) - Date.parse(b)) < DAY / 2;
}

/** "UTC+2" beside a moment: two people in two zones then mean the same. */
export function zoneName(instant: string | null, timeZone: string, language: string): string {
  const parts = new Intl.DateTimeFormat(language, { timeZone, timeZoneName: 'shortOffset' }).formatToParts(
    instant === null ? Date.now() : Date.parse(instant),
  );
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone;
}
