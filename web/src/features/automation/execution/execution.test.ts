import { describe, expect, it } from 'vitest';
import type { StepRun } from '@/api/workflows';
import { stepsDone } from './steps';
import { readVerdict } from './verdict';

function run(place: string, status: string, at: number, more: Partial<StepRun> = {}): StepRun {
  const moment = new Date(Date.UTC(2026, 4, 4, 9, 0, at)).toISOString();
  return {
    id: `${place}-${at}`,
    place,
    name: null,
    kind: 'comment',
    status,
    attempt: 1,
    input: null,
    output: null,
    error: null,
    created_at: moment,
    ended_at: moment,
    ...more,
  };
}

describe('the steps of an execution', () => {
  it('stand once each, from when they began to when they ended', () => {
    const [wait, comment] = stepsDone([
      run('wait', 'WAITING', 0, { output: { until: 'x' } }),
      run('wait', 'DONE', 2),
      run('comment', 'DONE', 3, { input: { body: 'a' } }),
    ]);
    expect(wait).toMatchObject({ status: 'DONE', output: { until: 'x' } });
    expect(wait?.endedAt && Date.parse(wait.endedAt) - Date.parse(wait.startedAt)).toBe(2000);
    expect(comment).toMatchObject({ place: 'comment', input: { body: 'a' } });
  });

  it('tell of every try that failed before', () => {
    const [step] = stepsDone([
      run('mail', 'RETRY', 0, { error: 'refused' }),
      run('mail', 'FAILED', 5, { attempt: 2, error: 'gone' }),
    ]);
    expect(step).toMatchObject({ status: 'FAILED', attempt: 2, error: 'gone' });
    expect(step?.retries.map(({ error }) => error)).toEqual(['refused']);
  });

  it('have no end while they wait', () => {
    expect(stepsDone([run('wait', 'WAITING', 0)])[0]?.endedAt).toBeNull();
  });
});

describe('a verdict', () => {
  it('keeps what was found beside what was asked, group within group', () => {
    const told = { field: 'priority', op: 'eq', value: 'critical', found: 'high', holds: false };
    const verdict = readVerdict({
      all: [told, { not: { any: [told], holds: false }, holds: true }],
      holds: false,
    });
    expect(verdict).toMatchObject({
      kind: 'all',
      holds: false,
      parts: [
        { kind: 'test', told: { found: 'high', value: 'critical' } },
        { kind: 'not', holds: true, parts: [{ kind: 'any', holds: false }] },
      ],
    });
  });

  it('is none where nothing was asked', () => {
    expect(readVerdict(null)).toBeNull();
    expect(readVerdict({ all: [], holds: true })).toBeNull();
  });
});
