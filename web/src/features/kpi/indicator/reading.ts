/** What a chart says, as sentences are made of it. */
import type { Chart } from '../figures';
import { judgeChange, type Verdict } from '../judge';
import { yearBefore } from '../periods';

export interface Compared {
  to: 'previous' | 'year';
  start: string;
  value: number;
  change: number;
  verdict: Verdict | null;
}

/** The latest value against the one before it and that of a year before. */
export function comparisons({ points, direction, frequency }: Chart): Compared[] {
  const latest = points.at(-1);
  if (!latest) {
    return [];
  }
  const against = (to: Compared['to'], start: string | null | undefined): Compared[] => {
    const before = points.find(({ period_start }) => period_start === start);
    return before
      ? [
          {
            to,
            start: before.period_start,
            value: before.value,
            change: latest.value - before.value,
            verdict: judgeChange(direction, latest.value, before.value, latest.target),
          },
        ]
      : [];
  };
  return [
    ...against('previous', points.at(-2)?.period_start),
    ...against('year', yearBefore(frequency, latest.period_start)),
  ];
}

export interface Signal {
  rule: number;
  starts: string[];
}

/** The signals of each rule together, the newest first. */
export function signalsByRule({ control }: Chart): Signal[] {
  const rules = new Map<number, string[]>();
  for (const { rule, period_start } of control?.signals ?? []) {
    rules.set(rule, [period_start, ...(rules.get(rule) ?? [])]);
  }
  return [...rules].map(([rule, starts]) => ({ rule, starts })).sort((a, b) => a.rule - b.rule);
}
