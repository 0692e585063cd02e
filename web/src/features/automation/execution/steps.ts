/** The log of an execution by step: what stands there as several lines is one step on the page. */
import type { StepRun } from '@/api/workflows';

export interface StepDone {
  place: string;
  kind: string;
  name: string | null;
  /** As the last line of it says. */
  status: string;
  input: unknown;
  output: unknown;
  error: string | null;
  /** Tries that failed and were followed by another. */
  retries: StepRun[];
  attempt: number;
  startedAt: string;
  endedAt: string | null;
}

export function stepsDone(runs: StepRun[]): StepDone[] {
  const byPlace = new Map<string, StepRun[]>();
  for (const run of runs) {
    byPlace.set(run.place, [...(byPlace.get(run.place) ?? []), run]);
  }
  return [...byPlace.values()].flatMap((lines): StepDone[] => {
    const [first] = lines;
    const last = lines.at(-1);
    if (!first || !last) {
      return [];
    }
    const filled = (name: 'input' | 'output') =>
      lines.findLast((line) => (line[name] ?? null) !== null)?.[name] ?? null;
    return [
      {
        place: last.place,
        kind: last.kind,
        name: last.name,
        status: last.status,
        input: filled('input'),
        output: filled('output'),
        error: last.error,
        retries: lines.filter((line) => line.status === 'RETRY' && line !== last),
        attempt: Math.max(...lines.map(({ attempt }) => attempt ?? 1)),
        startedAt: first.created_at,
        endedAt: last.status === 'WAITING' || last.status === 'RETRY' ? null : last.ended_at,
      },
    ];
  });
}
