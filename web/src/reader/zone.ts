/** Days of a person's time zone as instants. */

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Making a formatter costs far more than using it. */
function clockOf(timeZone: string): Intl.DateTimeFormat {
  const known = clocks.get(timeZone);
  if (known) {
    return known;
  }
  const clock = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  clocks.set(timeZone, clock);
  return clock;
}

/** Minutes by which the zone's wall clock is ahead of UTC at that instant. */
function offsetMinutes(instant: number, timeZone: string): number {
  const parts = clockOf(timeZone).formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((candidate) => candidate.type === type)?.value ?? 0);
  const wall = Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  );
  return Math.round((wall - Math.floor(instant / 1000) * 1000) / 60_000);
}

function instantAt(wallClock: string, timeZone: string): number {
  const utc = Date.parse(`${wallClock}Z`);
  const guess = utc - offsetMinutes(utc, timeZone) * 60_000;
  // Once more with the offset at the guess: the first may have stood on the other side of a clock change.
  return utc - offsetMinutes(guess, timeZone) * 60_000;
}

/** The first instant of a day (`2026-05-03`) in a zone. */
export function startOfDay(day: string, timeZone: string): string {
  return new Date(instantAt(`${day}T00:00:00`, timeZone)).toISOString();
}

/** The last instant of a day, to the millisecond. */
export function endOfDay(day: string, timeZone: string): string {
  return new Date(instantAt(`${day}T23:59:59`, timeZone) + 999).toISOString();
}

/** The day an instant falls on in a zone. */
export function dayOf(instant: string, timeZone: string): string {
  const time = Date.parse(instant);
  if (Number.isNaN(time)) {
    return '';
  }
  return new Date(time + offsetMinutes(time, timeZone) * 60_000).toISOString().slice(0, 10);
}

/** `2026-05-03T14:30` as shown by the clock on the wall there, for fields that take a moment. */
export function wallClock(instant: string, timeZone: string): string {
  const time = Date.parse(instant);
  if (Number.isNaN(time)) {
    return '';
  }
  return new Date(time + offsetMinutes(time, timeZone) * 60_000).toISOString().slice(0, 16);
}

/** The instant of a moment on the wall clock (`2026-05-03T14:30`). */
export function instantOf(moment: string, timeZone: string): string {
  return new Date(instantAt(moment.length === 16 ? `${moment}:00` : moment, timeZone)).toISOString();
}
