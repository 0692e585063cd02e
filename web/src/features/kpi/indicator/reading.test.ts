import { expect, it } from 'vitest';
import type { Chart } from '../figures';
import { comparisons, signalsByRule } from './reading';

const point = (period_start: string, value: number) => ({ period_start, value, target: null });

const chart = {
  direction: 'DOWN_IS_BETTER',
  frequency: 'MONTHLY',
  points: [point('2025-03-01', 4), point('2026-02-01', 9), point('2026-03-01', 6)],
  control: {
    signals: [
      { rule: 2, period_start: '2026-02-01' },
      { rule: 1, period_start: '2025-03-01' },
      { rule: 2, period_start: '2026-03-01' },
    ],
  },
} as unknown as Chart;

it('the latest value is compared with the one before and a year before', () => {
  expect(comparisons(chart)).toEqual([
    { to: 'previous', start: '2026-02-01', value: 9, change: -3, verdict: 'better' },
    { to: 'year', start: '2025-03-01', value: 4, change: 2, verdict: 'worse' },
  ]);
});

it('a single value is compared with nothing', () => {
  expect(comparisons({ ...chart, points: chart.points.slice(0, 1) })).toEqual([]);
  expect(comparisons({ ...chart, points: [] })).toEqual([]);
});

it('signals stand together by rule, the newest first', () => {
  expect(signalsByRule(chart)).toEqual([
    { rule: 1, starts: ['2025-03-01'] },
    { rule: 2, starts: ['2026-03-01', '2026-02-01'] },
  ]);
  expect(signalsByRule({ ...chart, control: null })).toEqual([]);
});
