/**
 * Whether changes are saved at the moment. Nothing is asked while they are: the first answer that says
 * otherwise begins it, and from then on the server's health is looked at until they are again.
 */
import { useSyncExternalStore } from 'react';
import type { Problem } from './problem';

const HEALTH = '/health';
const PAUSE = 5_000;
/** What says that the server keeps nothing, whoever asks and whatever for. */
const CODES = ['read_only', 'unavailable'];

interface Health {
  components?: Record<string, { status: string } | undefined>;
}

let refused = false;
let looking: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

function change(next: boolean): void {
  if (refused !== next) {
    refused = next;
    for (const listener of listeners) {
      listener();
    }
  }
}

/** Nothing is known while the server cannot be reached: it stays as it was. */
async function isSaving(): Promise<boolean | null> {
  try {
    const response = await fetch(HEALTH, { headers: { Accept: 'application/json' } });
    const { components = {} } = (await response.json()) as Health;
    return components.database?.status === 'ok' && components.changes?.status !== 'failed';
  } catch {
    return null;
  }
}

async function look(): Promise<void> {
  const saving = await isSaving();
  if (saving !== null) {
    change(!saving);
  }
  looking = refused ? setTimeout(look, PAUSE) : undefined;
}

function over(): void {
  clearTimeout(looking);
  looking = undefined;
  change(false);
}

/** What became of a request. One that only reads is refused for many reasons: the health decides. */
export function sawAnswer(writes: boolean, problem: Problem | null): void {
  if (problem === null) {
    if (writes && refused) {
      over();
    }
    return;
  }
  if (problem.status !== 503 || !CODES.includes(problem.code)) {
    return;
  }
  if (writes) {
    change(true);
    looking ??= setTimeout(look, PAUSE);
  } else if (looking === undefined) {
    looking = setTimeout(look, 0);
  }
}

/** For tests, which share the page: as if nothing had been seen. */
export const forgetAnswers = over;

export function useSavingRefused(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    () => refused,
  );
}
