/**
 * Other people's changes, as they happen. One stream for the page; what it says is gathered for a moment,
 * then the cached records it is about are read again. Lists that draw rows one by one ask for the changes
 * themselves with `useChanges`.
 */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { appMetaQuery } from '@/api/meta';
import { recordKeys } from '@/api/records';
import type { ChangeEvent } from '@/api/types';

/** A bulk edit is hundreds of changes at once: they are answered together. */
const GATHER = 100;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 30_000;

type Listener = (changes: ChangeEvent[]) => void;

const listeners = new Map<string, Set<Listener>>();

function byEntity(changes: ChangeEvent[]): Map<string, ChangeEvent[]> {
  const groups = new Map<string, ChangeEvent[]>();
  for (const change of changes) {
    groups.set(change.entity, [...(groups.get(change.entity) ?? []), change]);
  }
  return groups;
}

function dispatch(client: QueryClient, changes: ChangeEvent[]): void {
  for (const [entity, group] of byEntity(changes)) {
    for (const id of new Set(group.map((change) => change.id))) {
      void client.invalidateQueries({ queryKey: recordKeys.record(entity, id) });
    }
    void client.invalidateQueries({
      queryKey: [...recordKeys.all, entity],
      predicate: ({ queryKey, meta }) => queryKey[2] !== 'record' && meta?.live !== true,
    });
    if (entity === 'saved_view') {
      void client.invalidateQueries({ queryKey: ['saved-views'] });
    }
    for (const listener of listeners.get(entity) ?? []) {
      listener(group);
    }
  }
}

/** Opens the stream and keeps it open; answers the function that closes it. */
function followChanges(client: QueryClient): () => void {
  let source: EventSource | null = null;
  let gathered: ChangeEvent[] = [];
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let wait = FIRST_RETRY;
  let missed = false;

  const flush = () => {
    gathering = undefined;
    const changes = gathered;
    gathered = [];
    dispatch(client, changes);
  };
  const open = () => {
    source = new EventSource('/api/v1/stream');
    source.onopen = () => {
      wait = FIRST_RETRY;
      if (missed) {
        missed = false;
        void client.invalidateQueries();
      }
    };
    source.addEventListener('change', ({ data }) => {
      gathered.push(JSON.parse(data) as ChangeEvent);
      gathering ??= setTimeout(flush, GATHER);
    });
    source.addEventListener('resync', () => void client.invalidateQueries());
    source.onerror = () => {
      if (source?.readyState !== EventSource.CLOSED) {
        // The browser connects again by itself and says where it had got to.
        return;
      }
      // Refused: the session may have run out. Asking who we are renews it, or shows the log-in.
      missed = true;
      retry = setTimeout(() => {
        wait = Math.min(wait * 2, LAST_RETRY);
        void client
          .fetchQuery({ ...appMetaQuery, staleTime: 0 })
          .then(open, () => source?.onerror?.(new Event('error')));
      }, wait);
    };
  };
  open();
  return () => {
    clearTimeout(gathering);
    clearTimeout(retry);
    source?.close();
  };
}

/** For the page as a whole, while somebody is logged in. */
export function useLiveChanges(enabled: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (enabled && typeof EventSource !== 'undefined') {
      return followChanges(client);
    }
    return undefined;
  }, [enabled, client]);
}

/** The changes of one entity, for a list that puts them into its rows itself. */
export function useChanges(entity: string, onChanges: Listener): void {
  const latest = useRef(onChanges);
  latest.current = onChanges;
  useEffect(() => {
    const listener: Listener = (changes) => latest.current(changes);
    const set = listeners.get(entity) ?? new Set();
    listeners.set(entity, set.add(listener));
    return () => {
      set.delete(listener);
    };
  }, [entity]);
}
