import { describe, expect, it } from 'vitest';
import { wallClock } from '@/reader/zone';
import { instantsAt, momentAt, zoneName } from './wall-clock';

const PARIS = 'Europe/Paris';

describe('the clock on the wall in Paris', () => {
  it('has one instant for an ordinary moment', () => {
    expect(instantsAt('2026-05-03T14:30', PARIS)).toEqual(['2026-05-03T12:30:00Z']);
    expect(momentAt('2026-05-03T14:30', PARIS, null)).toEqual({
      instant: '2026-05-03T12:30:00Z',
      kind: 'once',
    });
  });

  it('has none for the hour that is skipped in spring: the clock after the change is meant', () => {
    expect(instantsAt('2026-03-29T02:30', PARIS)).toEqual([]);
    const moment = momentAt('2026-03-29T02:30', PARIS, null);
    expect(moment).toEqual({ instant: '2026-03-29T01:30:00Z', kind: 'skipped' });
    expect(wallClock(moment?.instant ?? '', PARIS)).toBe('2026-03-29T03:30');
  });

  it('has two for the hour that is repeated in autumn, and keeps the one that was there', () => {
    expect(instantsAt('2026-10-25T02:30', PARIS)).toEqual(['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z']);
    expect(momentAt('2026-10-25T02:30', PARIS, null)?.instant).toBe('2026-10-25T00:30:00Z');
    // The second 02:30 was there, and only the minutes are changed.
    expect(momentAt('2026-10-25T02:45', PARIS, '2026-10-25T01:30:00Z')).toEqual({
      instant: '2026-10-25T01:45:00Z',
      kind: 'repeated',
    });
    expect(momentAt('2026-10-25T02:45', PARIS, '2026-10-25T00:30:00Z')?.instant).toBe('2026-10-25T00:45:00Z');
    // A winter day says nothing about which of the two is meant.
    expect(momentAt('2026-10-25T02:45', PARIS, '2026-12-01T10:00:00Z')?.instant).toBe('2026-10-25T00:45:00Z');
  });
});

it.each([
  'UTC',
  'Africa/Libreville',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Pacific/Apia',
  'Australia/Lord_Howe',
])('every instant shown in %s is found again', (zone) => {
  for (let time = Date.UTC(2026, 0, 1); time < Date.UTC(2027, 0, 1); time += 61.5 * 3_600_000) {
    const instant = new Date(time).toISOString().replace('.000Z', 'Z');
    expect(instantsAt(wallClock(instant, zone), zone)).toContain(instant);
  }
});

it('is not fooled by what is no moment', () => {
  expect(instantsAt('', PARIS)).toEqual([]);
  expect(momentAt('2026-13-40T99:99', PARIS, null)).toBeNull();
});

it('names the zone as it is at that moment', () => {
  expect(zoneName('2026-07-01T00:00:00Z', PARIS, 'en')).toBe('GMT+2');
  expect(zoneName('2026-01-01T00:00:00Z', PARIS, 'en')).toBe('GMT+1');
});
