/** What a meeting goes through, one after the other, and how one moves in it. */
import type { Counts, Direction } from '../figures';

type Board = Direction['items'][number];

export type By = 'dashboard' | 'process';

export type Slide =
  | { kind: 'summary' }
  | { kind: 'risks' }
  | { kind: 'boards'; title: string | null; counts: Counts; boards: Board[] }
  | { kind: 'plans' };

/** The whole first, then each dashboard or process in the order of the page, then what is done about it. */
export function slidesOf(view: Direction, by: By): Slide[] {
  const parts: Slide[] =
    by === 'dashboard'
      ? view.items.map((board) => ({ kind: 'boards', title: board.title, counts: board, boards: [board] }))
      : view.processes.map((process) => ({
          kind: 'boards',
          title: process.process_name,
          counts: process,
          boards: view.items.filter(({ process_name }) => process_name === process.process_name),
        }));
  return [
    { kind: 'summary' },
    ...(view.top_risks.length > 0 ? [{ kind: 'risks' } as const] : []),
    ...parts,
    ...(view.key_actions.length > 0 ? [{ kind: 'plans' } as const] : []),
  ];
}

/** The slide a key leads to, of `count`; nothing for any other: up and down scroll what is long. */
export function slideAfter(key: string, at: number, count: number): number | null {
  const to = {
    ArrowRight: at + 1,
    PageDown: at + 1,
    ArrowLeft: at - 1,
    PageUp: at - 1,
    Home: 0,
    End: count - 1,
  }[key];
  return to === undefined ? null : Math.min(Math.max(to, 0), count - 1);
}

/** The slide of an address, which people write as they count: from one. Nothing when it names none. */
export function slideAt(text: string | undefined, count: number): number | null {
  return text !== undefined && /^\d{1,4}$/.test(text)
    ? Math.min(Math.max(Number(text) - 1, 0), Math.max(count - 1, 0))
    : null;
}
