/**
 * What was typed and not yet saved, kept in this browser so that a reload, a crash or the end of a session
 * loses nothing. Each entry belongs to one person; logging out removes them all.
 */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { appMetaQuery } from '@/api/meta';

const PREFIX = 'opsflux.draft.';

function keysOf(prefix: string): string[] {
  return Array.from({ length: localStorage.length }, (_unused, at) => localStorage.key(at)).filter(
    (key): key is string => key?.startsWith(prefix) === true,
  );
}

function read(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

function write(key: string, value: unknown): void {
  try {
    if (value === null || value === undefined) {
      localStorage.removeItem(key);
    } else {
      localStorage.setItem(key, JSON.stringify(value));
    }
  } catch {
    // The storage is full or forbidden: the draft then lives as long as the page does.
  }
}

/** How many things the person has begun and not saved. */
export function countDrafts(user: string): number {
  return keysOf(`${PREFIX}${user}.`).length;
}

/** At log-out: nothing that was typed stays in the browser. */
export function dropDrafts(): void {
  for (const key of keysOf(PREFIX)) {
    localStorage.removeItem(key);
  }
}

/** Secrets are typed again rather than written to a disk. */
export function withoutSecrets<V>(values: Record<string, V>, secret: (name: string) => boolean) {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !secret(name)));
}

/**
 * State that outlives the page. `what` names it: `ticket.0199…`, `ticket.new`; null keeps it nowhere.
 * `check` turns what was stored, by an older version of this program perhaps, into a value or null.
 */
export function useDraft<V>(
  what: string | null,
  check: (stored: unknown) => V | null,
  store: (value: V) => unknown = (value) => value,
) {
  const { data: app } = useQuery(appMetaQuery);
  const key = what === null || !app ? null : `${PREFIX}${app.user.id}.${what}`;
  const [value, setValue] = useState<V | null>(() => (key === null ? null : check(read(key))));
  useEffect(() => {
    if (key !== null) {
      write(key, value === null ? null : store(value));
    }
    // `store` is a rule and not a value: it says the same each time.
  }, [key, value, store]);
  return [value, setValue] as const;
}
