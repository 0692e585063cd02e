/** Where columns stand and how wide they are: TanStack Table keeps the state, this keeps it between visits. */
import {
  columnOrderingFeature,
  columnPinningFeature,
  columnResizingFeature,
  columnSizingFeature,
  columnVisibilityFeature,
  type ReactTable,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { useMemo, useState } from 'react';
import { fieldNamed } from '@/api/meta';
import type { EntityMeta, FieldMeta, RecordData } from '@/api/types';
import { kindOf } from '@/records/fields/lookup';

const features = tableFeatures({
  columnOrderingFeature,
  columnPinningFeature,
  columnResizingFeature,
  columnSizingFeature,
  columnVisibilityFeature,
});

export type GridTable = ReactTable<typeof features, RecordData>;

/** Of the box that selects a row. */
const SELECT_WIDTH = 36;

export const MIN_WIDTH = 60;
const MAX_WIDTH = 900;
const TITLE_LIMIT = 620;
const NO_ROWS: RecordData[] = [];

export interface GridColumn {
  id: string;
  field: FieldMeta;
  width: number;
  /** Distance from the left edge of a column that stays when the others scroll. */
  pinned: number | null;
  align: 'start' | 'end';
}

function storageKey(entity: EntityMeta): string {
  return `opsflux.widths.${entity.name}`;
}

function storedWidths(entity: EntityMeta): Record<string, number> {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey(entity)) ?? '{}');
    return typeof stored === 'object' && stored !== null ? (stored as Record<string, number>) : {};
  } catch {
    return {};
  }
}

/** Of a letter in a badge, on the average; and of all that stands around its words. */
const LETTER = 6.6;
const AROUND_A_BADGE = 44;

/** As wide as the longest of its words, in whatever language; never narrower than a heading needs. */
function badgeWidth(options: { label: string }[], heading: string): number {
  const longest = Math.max(heading.length, ...options.map(({ label }) => label.length));
  return Math.min(240, Math.ceil(longest * LETTER) + AROUND_A_BADGE);
}

function defaultWidth(entity: EntityMeta, field: FieldMeta): number {
  if (field.name === entity.title_field) {
    return 320;
  }
  if (field.name === 'number' && entity.number) {
    return 106;
  }
  switch (field.type) {
    case 'choice':
      return badgeWidth(field.options, field.label);
    case 'state':
      return badgeWidth(entity.states, field.label);
    default:
      return kindOf(field).width;
  }
}

/** Number and title stay in sight while one scrolls to the right. */
function pinnedOf(entity: EntityMeta, columns: string[]): string[] {
  const first = columns[0] ?? '';
  const second = columns[1] ?? '';
  return first === 'number' && second === entity.title_field ? [first, second] : [first];
}

/**
 * Rows are drawn by the grid itself, straight from the query's pages: the table is asked about columns only,
 * so that ten thousand rows cost it nothing.
 */
export function useGridLayout(
  entity: EntityMeta,
  columns: string[],
  viewWidths: Record<string, number> | undefined,
) {
  const [widths, setWidths] = useState(() => storedWidths(entity));
  const shown = useMemo(
    () => columns.map((name) => fieldNamed(entity, name)).filter((field) => field !== undefined),
    [entity, columns],
  );
  const definitions = useMemo(
    () =>
      entity.fields.map((field) => ({
        id: field.name,
        accessorFn: (record: RecordData) => record[field.name],
        size: defaultWidth(entity, field),
        minSize: MIN_WIDTH,
        maxSize: MAX_WIDTH,
      })),
    [entity],
  );
  const sizing = useMemo(() => ({ ...viewWidths, ...widths }), [viewWidths, widths]);
  const table = useTable({
    features,
    columns: definitions,
    data: NO_ROWS,
    columnResizeMode: 'onChange',
    state: {
      columnOrder: shown.map(({ name }) => name),
      columnVisibility: Object.fromEntries(entity.fields.map(({ name }) => [name, columns.includes(name)])),
      columnSizing: sizing,
      columnPinning: { start: pinnedOf(entity, columns), end: [] },
    },
    onColumnSizingChange: (change) => {
      setWidths((current) => {
        const next = typeof change === 'function' ? change({ ...viewWidths, ...current }) : change;
        localStorage.setItem(storageKey(entity), JSON.stringify(next));
        return next;
      });
    },
  });
  return { table, widths: sizing };
}

/** The visible columns from left to right, with their places. */
export function gridColumns(table: GridTable, entity: EntityMeta): GridColumn[] {
  return table.getVisibleLeafColumns().flatMap((column): GridColumn[] => {
    const field = fieldNamed(entity, column.id);
    if (!field) {
      return [];
    }
    const pinned = column.getIsPinned() === 'start' ? SELECT_WIDTH + column.getStart('start') : null;
    return [{ id: column.id, field, width: column.getSize(), pinned, align: kindOf(field).align }];
  });
}

/**
 * One definition for header and rows. On a wide screen the title takes room first, up to where its end would
 * be far from its start; the last track takes what is then left.
 */
export function gridTemplate(columns: GridColumn[], grows: string | null): string {
  const tracks = columns.map(({ id, width }) =>
    id === grows ? `minmax(${width}px, ${Math.max(width, TITLE_LIMIT)}px)` : `${width}px`,
  );
  return [`${SELECT_WIDTH}px`, ...tracks, 'minmax(0, 1fr)'].join(' ');
}

export function totalWidth(columns: GridColumn[]): number {
  return columns.reduce((sum, { width }) => sum + width, SELECT_WIDTH);
}
