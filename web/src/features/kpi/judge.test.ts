import { describe, expect, it } from 'vitest';
import { bandsOf, judgeChange, stretch } from './judge';

describe('a change', () => {
  it.each([
    ['UP_IS_BETTER', 10, 9, 'better'],
    ['UP_IS_BETTER', 9, 10, 'worse'],
    ['DOWN_IS_BETTER', 9, 10, 'better'],
    ['DOWN_IS_BETTER', 10, 9, 'worse'],
    ['UP_IS_BETTER', 9, 9, 'same'],
    // Nearer to the target of 20, from either side.
    ['WITHIN_RANGE', 19, 25, 'better'],
    ['WITHIN_RANGE', 26, 19, 'worse'],
    ['WITHIN_RANGE', 21, 19, 'same'],
  ])('%s: %d after %d is %s', (way, now, before, verdict) => {
    expect(judgeChange(way, now, before, 20)).toBe(verdict);
  });

  it('near a target that is not told is not judged', () => {
    expect(judgeChange('WITHIN_RANGE', 1, 2, null)).toBeNull();
  });
});

describe('the bands', () => {
  const colours = (...input: Parameters<typeof bandsOf>) =>
    bandsOf(...input).map(({ from, to, colour }) => [from, to, colour]);

  it('lie in the order of the direction', () => {
    const thresholds = { green: 95, orange: 90, red: 80 };
    expect(colours('UP_IS_BETTER', thresholds, null, [70, 100])).toEqual([
      [70, 90, 'RED'],
      [90, 95, 'ORANGE'],
      [95, 100, 'GREEN'],
    ]);
    expect(colours('DOWN_IS_BETTER', { green: 2, orange: 5, red: null }, null, [0, 9])).toEqual([
      [0, 2, 'GREEN'],
      [2, 5, 'ORANGE'],
      [5, 9, 'RED'],
    ]);
    expect(colours('WITHIN_RANGE', { green: 1, orange: 2, red: null }, 20, [15, 25])).toEqual([
      [15, 18, 'RED'],
      [18, 19, 'ORANGE'],
      [19, 21, 'GREEN'],
      [21, 22, 'ORANGE'],
      [22, 25, 'RED'],
    ]);
  });

  it('end where red begins when there is no orange threshold, and leave out what is not shown', () => {
    expect(colours('UP_IS_BETTER', { green: 95, orange: null, red: 80 }, null, [85, 100])).toEqual([
      [85, 95, 'ORANGE'],
      [95, 100, 'GREEN'],
    ]);
    expect(colours('UP_IS_BETTER', { green: 95, orange: null, red: null }, null, [90, 100])).toEqual([
      [90, 95, 'RED'],
      [95, 100, 'GREEN'],
    ]);
    expect(bandsOf('UP_IS_BETTER', { green: null, orange: null, red: null }, null, [0, 1])).toEqual([]);
  });
});

it('an axis holds a single value, and none', () => {
  expect(stretch([5])).toEqual([4.6, 5.4]);
  expect(stretch([null, undefined])).toEqual([0, 1]);
});
