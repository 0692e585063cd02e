/** What a value means: whether a change is for the better, and where on an axis each colour lies. */
import type { Thresholds, Tile } from './figures';

export type Way = Tile['direction'];
export type Colour = 'GREEN' | 'ORANGE' | 'RED';
export type Verdict = 'better' | 'worse' | 'same';

/** A change judged by the direction; near a target, by the distance from it. */
export function judgeChange(way: string, now: number, before: number, target: number | null): Verdict | null {
  if (way === 'WITHIN_RANGE') {
    return target === null ? null : verdict(Math.abs(before - target) - Math.abs(now - target));
  }
  return verdict(way === 'DOWN_IS_BETTER' ? before - now : now - before);
}

function verdict(gain: number): Verdict {
  return gain > 0 ? 'better' : gain < 0 ? 'worse' : 'same';
}

export interface Band {
  from: number;
  to: number;
  colour: Colour;
}

/** Where orange ends and red begins: the limit of orange, else that of red, else there is no orange. */
function worst({ green, orange, red }: Thresholds): number | null {
  return orange ?? red ?? green;
}

/** Inside of `low` to `high`, from the bottom up. Without a green threshold nothing is told. */
export function bandsOf(
  way: string,
  thresholds: Thresholds,
  target: number | null,
  [low, high]: readonly [number, number],
): Band[] {
  const { green } = thresholds;
  const edge = worst(thresholds);
  if (green === null || edge === null) {
    return [];
  }
  const all: Band[] = (() => {
    switch (way) {
      case 'DOWN_IS_BETTER':
        return [
          { from: low, to: green, colour: 'GREEN' },
          { from: green, to: edge, colour: 'ORANGE' },
          { from: edge, to: high, colour: 'RED' },
        ];
      case 'WITHIN_RANGE':
        return target === null
          ? []
          : [
              { from: low, to: target - edge, colour: 'RED' },
              { from: target - edge, to: target - green, colour: 'ORANGE' },
              { from: target - green, to: target + green, colour: 'GREEN' },
              { from: target + green, to: target + edge, colour: 'ORANGE' },
              { from: target + edge, to: high, colour: 'RED' },
            ];
      default:
        return [
          { from: low, to: edge, colour: 'RED' },
          { from: edge, to: green, colour: 'ORANGE' },
          { from: green, to: high, colour: 'GREEN' },
        ];
    }
  })();
  return all
    .map((band) => ({ ...band, from: Math.max(band.from, low), to: Math.min(band.to, high) }))
    .filter(({ from, to }) => to > from);
}

/** The stretch of an axis that holds all of it, with a little air. */
export function stretch(numbers: (number | null | undefined)[]): [number, number] {
  const known = numbers.filter((number): number is number => number !== null && number !== undefined);
  if (known.length === 0) {
    return [0, 1];
  }
  const low = Math.min(...known);
  const high = Math.max(...known);
  const air = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - air, high + air];
}

/** The thresholds as places on the axis. */
export function places(way: string, { green, orange }: Thresholds, target: number | null): (number | null)[] {
  if (way !== 'WITHIN_RANGE') {
    return [green, orange, target];
  }
  const far = orange ?? green;
  return target === null || far === null ? [target] : [target - far, target, target + far];
}
