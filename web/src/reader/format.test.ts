import { describe, expect, it } from 'vitest';
import { formatBytes, formatRelative } from './format';

const NOW = Date.parse('2026-11-20T18:00:00Z');
const hours = (count: number) => new Date(NOW + count * 3_600_000).toISOString();

describe('how long ago, and in how long', () => {
  const said = (value: string, zone = 'UTC') => formatRelative(value, NOW, 'en', zone);

  it.each([
    [0, 'now'],
    [-0.5, '30 minutes ago'],
    [-10, '10 hours ago'],
    [23, 'in 23 hours'],
    // In 40 hours it is Sunday, not tomorrow.
    [40, 'in 2 days'],
    [-26, 'yesterday'],
    [-24 * 6, '6 days ago'],
    [-24 * 10, '1 week ago'],
    [24 * 40, 'in 1 month'],
    // Twenty months ago was not “last year”.
    [-24 * 600, '1 year ago'],
  ])('%d hours are “%s”', (count, text) => {
    expect(said(hours(count))).toBe(text);
  });

  it('counts the days of the reader’s zone', () => {
    // Six in the morning of the 22nd in UTC is still the 21st in Los Angeles.
    expect(said('2026-11-22T06:00:00Z')).toBe('in 2 days');
    expect(said('2026-11-22T06:00:00Z', 'America/Los_Angeles')).toBe('tomorrow');
  });
});

it('writes sizes of files as people read them', () => {
  expect(formatBytes(0, 'en')).toBe('0 byte');
  expect(formatBytes(1536, 'en')).toBe('1.5 kB');
  expect(formatBytes(100_000_000, 'fr').replace(/\s/g, ' ')).toBe('100 Mo');
});
