import { describe, expect, it } from 'vitest';
import { durationForTyping, longHex, parseDate, parseDuration, sameDecimal, sameInstant } from './values';

describe('a duration as it is typed', () => {
  it.each([
    ['1h30', 5_400],
    ['1 h 30 min', 5_400],
    ['1,5 h', 5_400],
    ['1.5h', 5_400],
    ['1:30', 5_400],
    ['90', 5_400],
    ['PT1H30M', 5_400],
    ['0', 0],
    ['45s', 45],
    ['2min15', 135],
    ['1j 2h', 93_600],
    ['1d12', 129_600],
    ['2 semaines', 1_209_600],
    ['-1h', -3_600],
    ['1:02:03', 3_723],
  ])('%s', (typed, seconds) => {
    expect(parseDuration(typed)).toBe(seconds);
  });

  it.each(['', 'h', '1x', '1h30x', '1:75', '5 30 2', 'P', '1h 2 3min'])('“%s” is none', (typed) => {
    expect(parseDuration(typed)).toBeUndefined();
  });

  it('is offered for typing in a form that is read back as the same', () => {
    for (const seconds of [0, 1, 59, 60, 61, 3_600, 3_661, 5_400, 93_600, 359_999, -5_400]) {
      expect(parseDuration(durationForTyping(seconds))).toBe(seconds);
    }
    expect(durationForTyping(5_400)).toBe('1h30');
  });
});

it('knows that some days do not exist', () => {
  expect(parseDate('2026-02-28')).toBe('2026-02-28');
  expect(parseDate('2028-02-29')).toBe('2028-02-29');
  expect(parseDate('2026-02-30')).toBeUndefined();
  expect(parseDate('2026-13-01')).toBeUndefined();
});

it('sees through two ways of writing the same', () => {
  expect(sameInstant('2026-05-04T09:00:00Z', '2026-05-04T11:00:00.000+02:00')).toBe(true);
  expect(sameInstant('2026-05-04T09:00:00Z', null)).toBe(false);
  expect(sameInstant(null, null)).toBe(true);
  expect(sameDecimal('12.50', '12.5')).toBe(true);
  expect(sameDecimal('0', '-0')).toBe(true);
  expect(sameDecimal('9007199254740993', '9007199254740992')).toBe(false);
});

it('writes a colour as the server holds it', () => {
  expect(longHex('#AbC')).toBe('#aabbcc');
  expect(longHex('12EF90')).toBe('#12ef90');
});
