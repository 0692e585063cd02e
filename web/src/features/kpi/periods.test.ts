import { expect, it } from 'vitest';
import { isoWeek, isWindow, periodEnd, periodsIn, shiftWindow, yearBefore } from './periods';

it('a year has twelve months, and 52 or 53 weeks of the ISO calendar', () => {
  expect(periodsIn('MONTHLY', '2026')).toHaveLength(12);
  expect(periodsIn('MONTHLY', '2026').at(-1)).toBe('2026-12-01');
  expect(periodsIn('WEEKLY', '2025').at(0)).toBe('2024-12-30');
  expect(periodsIn('WEEKLY', '2025')).toHaveLength(52);
  expect(periodsIn('WEEKLY', '2026')).toHaveLength(53);
  expect(periodsIn('DAILY', '2028-02')).toHaveLength(29);
});

it('a week belongs to the year of its Thursday', () => {
  expect(isoWeek('2024-12-30')).toEqual({ week: 1, year: 2025 });
  expect(isoWeek('2026-12-28')).toEqual({ week: 53, year: 2026 });
  expect(isoWeek('2027-01-04')).toEqual({ week: 1, year: 2027 });
});

it('periods end with their last day, and are compared with the same of the year before', () => {
  expect(periodEnd('MONTHLY', '2028-02-01')).toBe('2028-02-29');
  expect(periodEnd('WEEKLY', '2026-12-28')).toBe('2027-01-03');
  expect(yearBefore('MONTHLY', '2026-03-01')).toBe('2025-03-01');
  expect(yearBefore('WEEKLY', '2026-03-02')).toBe('2025-03-03');
  expect(yearBefore('DAILY', '2026-03-02')).toBeNull();
});

it('windows follow each other, and nonsense is none', () => {
  expect(shiftWindow('2026', -1)).toBe('2025');
  expect(shiftWindow('2026-01', -1)).toBe('2025-12');
  expect(isWindow('DAILY', '2026-13')).toBe(false);
  expect(isWindow('WEEKLY', '2026-03')).toBe(false);
  expect(isWindow('MONTHLY', '2026')).toBe(true);
});
