import { describe, expect, it } from 'vitest';
import { dayOf, endOfDay, instantOf, startOfDay, wallClock } from './zone';

describe('a day of a time zone', () => {
  it('begins and ends by the clock on the wall there', () => {
    expect(startOfDay('2026-05-03', 'Africa/Libreville')).toBe('2026-05-02T23:00:00.000Z');
    expect(endOfDay('2026-05-03', 'Africa/Libreville')).toBe('2026-05-03T22:59:59.999Z');
    expect(startOfDay('2026-05-03', 'America/New_York')).toBe('2026-05-03T04:00:00.000Z');
  });

  it('has 23 hours when the clocks go forward', () => {
    expect(startOfDay('2026-03-29', 'Europe/Paris')).toBe('2026-03-28T23:00:00.000Z');
    expect(endOfDay('2026-03-29', 'Europe/Paris')).toBe('2026-03-29T21:59:59.999Z');
  });

  it.each(['Europe/Paris', 'America/New_York', 'Asia/Kolkata', 'UTC'])('is found again in %s', (zone) => {
    expect(dayOf(startOfDay('2026-03-29', zone), zone)).toBe('2026-03-29');
    expect(dayOf(endOfDay('2026-03-29', zone), zone)).toBe('2026-03-29');
    expect(wallClock(instantOf('2026-10-25T14:30', zone), zone)).toBe('2026-10-25T14:30');
  });
});
