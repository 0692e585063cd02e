/**
 * Keeps the rows of a list true without moving what the person is reading: changed rows are read again in
 * their place, rows that no longer belong leave, new ones wait above until they are asked for.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { changePages, type Pages, readFromTop } from '@/api/record-cache';
import { type ListParams, readList, recordKeys } from '@/api/records';
import type { ChangeEvent, Condition, EntityMeta } from '@/api/types';
import { useChanges } from './live';

/** So many changes at once are an import: the list is read again as a whole. */
const TOO_MANY = 200;
/** The stream tells of a change when it is written; the index of words knows it a little later. */
const INDEXED = [1_500, 5_000];

export function narrowed(filter: Condition | null | undefined, ids: string[]): Condition {
  const these: Condition = { field: 'id', op: 'in', value: ids };
  return filter ? { all: [filter, these] } : these;
}

interface LiveRowsOptions {
  entity: EntityMeta;
  params: ListParams;
  /** The person reads further down: nothing may move. */
  scrolledAway: boolean;
}

export function useLiveRows({ entity, params, scrolledAway }: LiveRowsOptions) {
  const client = useQueryClient();
  const queryKey = recordKeys.list(entity.name, params);
  const question = JSON.stringify(queryKey);
  const [waiting, setWaiting] = useState({ question, ids: new Set<string>() });
  const ids = waiting.question === question ? waiting.ids : new Set<string>();

  const refresh = async () => {
    setWaiting({ question, ids: new Set() });
    await readFromTop(client, queryKey);
  };

  const apply = async (changes: ChangeEvent[]) => {
    const left = new Set(
      changes.filter((change) => change.gone || change.op === 'deleted').map(({ id }) => id),
    );
    const touched = [...new Set(changes.map(({ id }) => id))].filter((id) => !left.has(id));
    if (params.deleted || touched.length > TOO_MANY) {
      await refresh();
      return;
    }
    const answer =
      touched.length === 0
        ? null
        : await readList(
            entity,
            { ...params, filter: narrowed(params.filter, touched), limit: touched.length },
            null,
          );
    const fresh = new Map(answer?.items.map((item) => [item.id, item]) ?? []);
    const known = new Set(
      client.getQueryData<Pages>(queryKey)?.pages.flatMap(({ items }) => items.map(({ id }) => id)) ?? [],
    );
    const gone = new Set([...left, ...touched.filter((id) => !fresh.has(id))]);
    client.setQueryData<Pages>(queryKey, (data) => data && changePages(data, fresh, gone, answer?.labels));
    const arrived = [...fresh.keys()].filter((id) => !known.has(id));
    if (arrived.length === 0) {
      return;
    }
    if (scrolledAway) {
      setWaiting({ question, ids: new Set([...ids, ...arrived]) });
    } else {
      await refresh();
    }
  };

  const show = (changes: ChangeEvent[]) =>
    void apply(changes).catch(() => client.invalidateQueries({ queryKey, exact: true }));
  const looks = useRef(new Set<ReturnType<typeof setTimeout>>());
  useEffect(() => () => looks.current.forEach(clearTimeout), []);
  const reader = useRef({ scrolledAway, refresh });
  useEffect(() => {
    reader.current = { scrolledAway, refresh };
  });
  // What was written just before the list was opened was told of before anybody listened here.
  const searched = params.q ? question : null;
  useEffect(() => {
    const again = (searched ? INDEXED : []).map((wait) =>
      setTimeout(() => {
        if (!reader.current.scrolledAway) {
          void reader.current.refresh();
        }
      }, wait),
    );
    return () => again.forEach(clearTimeout);
  }, [searched]);
  useChanges(entity.name, (changes) => {
    show(changes);
    for (const wait of params.q ? INDEXED : []) {
      const look = setTimeout(() => {
        looks.current.delete(look);
        show(changes);
      }, wait);
      looks.current.add(look);
    }
  });
  return { waiting: ids.size, refresh };
}
