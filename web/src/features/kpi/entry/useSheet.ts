/** What the sheet is filled from, and the one call that writes it. */
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { bulkWrite, readList, recordKeys } from '@/api/records';
import type { Condition, EntityMeta, RecordData } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { useReader } from '@/reader/context';
import { readFiguresAgain, type Tile } from '../figures';
import { type Frequency, periodsIn } from '../periods';
import { type CellChange, cellKey, changesOf, type Sheet, type Stored, type Typed } from './sheet';

/** The most records the server tells at once. */
const PAGE = 500;

/** Every value of some indicators in some periods. */
function valuesQuery(entity: EntityMeta, kpis: string[], starts: string[]) {
  const filter: Condition = {
    all: [
      { field: 'kpi_id', op: 'in', value: kpis },
      { field: 'period_start', op: 'gte', value: starts[0] ?? '' },
      { field: 'period_start', op: 'lte', value: starts.at(-1) ?? '' },
    ],
  };
  const fields = ['kpi_id', 'period_start', 'value', 'numerator'];
  return queryOptions({
    queryKey: [...recordKeys.all, entity.name, 'sheet', kpis, starts],
    queryFn: async ({ signal }) => {
      const found: RecordData[] = [];
      let cursor: string | null = null;
      do {
        const page = await readList(
          entity,
          { fields, filter, sort: ['period_start'], limit: PAGE },
          cursor,
          signal,
        );
        found.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor !== null);
      return found;
    },
    enabled: kpis.length > 0,
  });
}

function storedIn(values: RecordData[]): Map<string, Stored> {
  return new Map(
    values.map(({ id, kpi_id, period_start, value, numerator }) => [
      cellKey(String(kpi_id), String(period_start)),
      { id, value: typeof value === 'string' ? value : null, byParts: typeof numerator === 'string' },
    ]),
  );
}

export function useSheet(
  entity: EntityMeta,
  tiles: Tile[],
  frequency: Frequency,
  window: string,
  closedBefore: string | null,
) {
  const { t } = useTranslation('kpi');
  const { t: house } = useTranslation();
  const { language } = useReader();
  const client = useQueryClient();
  const [typed, setTyped] = useState<Typed>({});
  /** What the server said of a cell, until it is changed. */
  const [refused, setRefused] = useState<Record<string, string>>({});
  const [saving, setSaving] = useState(false);
  const starts = useMemo(() => periodsIn(frequency, window), [frequency, window]);
  const kpis = useMemo(
    () => tiles.filter((tile) => tile.frequency === frequency).map(({ kpi_id }) => kpi_id),
    [tiles, frequency],
  );
  const values = useQuery(valuesQuery(entity, kpis, starts));
  const sheet = useMemo(
    (): Sheet => ({
      frequency,
      columns: tiles
        .filter((tile) => tile.frequency === frequency)
        .map(({ kpi_id, unit }) => ({ kpi: kpi_id, unit })),
      starts,
      stored: storedIn(values.data ?? []),
      closedBefore,
    }),
    [frequency, tiles, starts, values.data, closedBefore],
  );
  const changes = useMemo(() => changesOf(sheet, typed, language), [sheet, typed, language]);

  const type = (cells: Typed) => {
    setTyped((before) => ({ ...before, ...cells }));
    setRefused((before) => {
      const left = { ...before };
      for (const key of Object.keys(cells)) {
        delete left[key];
      }
      return left;
    });
  };

  const forget = (keys: string[]) =>
    setTyped((before) => Object.fromEntries(Object.entries(before).filter(([key]) => !keys.includes(key))));

  const save = async () => {
    const writes = changes.flatMap((change) =>
      change.operation ? [{ ...change, operation: change.operation }] : [],
    );
    setSaving(true);
    try {
      const results = await bulkWrite(
        entity,
        writes.map(({ operation }) => operation),
      );
      const wrong: Record<string, string> = {};
      results.forEach(({ problem }, at) => {
        const key = writes[at]?.key;
        if (problem && key !== undefined) {
          wrong[key] =
            problem.errors?.map(({ message }) => message).join(' ') || problem.detail || problem.title;
        }
      });
      setRefused(wrong);
      const count = Object.keys(wrong).length;
      await client.invalidateQueries({ queryKey: [...recordKeys.all, entity.name] });
      forget(writes.filter(({ key }) => !(key in wrong)).map(({ key }) => key));
      if (count > 0) {
        failed(t('entry.refused', { count }));
      } else {
        told(t('entry.saved', { count: writes.length }));
      }
      await readFiguresAgain(client);
    } catch (error) {
      failed(t('entry.not_saved'), problemText(error, house));
    } finally {
      setSaving(false);
    }
  };

  return {
    sheet,
    values,
    typed,
    type,
    changes,
    faults: changes.filter((change): change is CellChange & { fault: object } => change.fault !== null),
    refused,
    saving,
    save,
    forget,
    discard: () => {
      setTyped({});
      setRefused({});
    },
  };
}

export type SheetState = ReturnType<typeof useSheet>;
