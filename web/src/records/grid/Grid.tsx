/**
 * Records in rows. One stop for the Tab key: inside, the arrows lead, and the cell they stand in is named by
 * `aria-activedescendant`. The row the keyboard stands in is kept drawn even when it is scrolled away, so
 * that it can always be named.
 */
import { defaultRangeExtractor, type Range, useVirtualizer } from '@tanstack/react-virtual';
import { type Ref, useImperativeHandle, useMemo, useRef } from 'react';
import type { EntityMeta } from '@/api/types';
import { cn } from '@/ui/cn';
import { GridHeader } from './GridHeader';
import { GridCard, GridLine, PlaceholderRow } from './GridRow';
import { type GridColumn, type GridTable, gridColumns, gridTemplate, totalWidth } from './layout';
import type { Rows } from './rows';
import { allState, type Selection } from './selection';
import { type ActiveCell, useActiveCell } from './useActiveCell';
import { useGridKeys } from './useGridKeys';
import { useGridPointer } from './useGridPointer';

export interface GridHandle {
  scrollToTop: () => void;
  focus: () => void;
}

export interface GridProps {
  ref?: Ref<GridHandle>;
  entity: EntityMeta;
  table: GridTable;
  rows: Rows;
  /** Nothing has been read yet: rows stand in as placeholders. */
  loading: boolean;
  /** The rows of the last question are shown until those of this one are there. */
  stale: boolean;
  hasMore: boolean;
  onReachEnd: () => void;
  sort: string[];
  onSort: (field: string, add: boolean) => void;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  openId: string | null;
  onOpen: (id: string) => void;
  onEscape: () => void;
  /** Moves a column by one place; the header's keyboard does it. */
  onMoveColumn: (field: string, by: -1 | 1) => void;
  onScrolledAway: (away: boolean) => void;
  /** Two lines a record, where columns would not fit. */
  cards: boolean;
  rowHeight: number;
}

/** The next page is asked for this many rows before the last one is seen. */
const AHEAD = 30;
const PLACEHOLDERS = 24;
const TRAILING_PLACEHOLDERS = 3;

/** Columns that are the same object as long as they look the same, so that rows need not be drawn again. */
function useColumns(table: GridTable, entity: EntityMeta) {
  const columns = gridColumns(table, entity);
  const shape = JSON.stringify(columns.map(({ id, width, pinned }) => [id, width, pinned]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` is the columns, by content
  return useMemo(() => columns, [shape, entity]);
}

function withRow(range: Range, row: number): number[] {
  const indexes = defaultRangeExtractor(range);
  return row < 0 || row >= range.count || indexes.includes(row)
    ? indexes
    : [...indexes, row].sort((a, b) => a - b);
}

function useGridRows(props: GridProps, columns: number) {
  const { rows, loading, hasMore, rowHeight, cards } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const activeRow = useRef(0);
  const virtualizer = useVirtualizer({
    count: loading ? PLACEHOLDERS : rows.ids.length + (hasMore ? TRAILING_PLACEHOLDERS : 0),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    // A live change may arrive while React draws; rows a frame later are better than a warning.
    useFlushSync: false,
    overscan: 12,
    // The header covers the first row otherwise.
    scrollPaddingStart: cards ? 0 : 44,
    getItemKey: (index) => rows.ids[index] ?? index,
    rangeExtractor: (range) => withRow(range, activeRow.current),
    onChange: (instance) => {
      if (hasMore && !loading && (instance.range?.endIndex ?? 0) >= rows.ids.length - AHEAD) {
        props.onReachEnd();
      }
      props.onScrolledAway((instance.scrollOffset ?? 0) > rowHeight);
    },
  });
  const active = useActiveCell({
    ids: rows.ids,
    columns: cards ? 2 : columns + 1,
    scrollToRow: (row) => virtualizer.scrollToIndex(row, { align: 'auto' }),
  });
  activeRow.current = active.row;
  useImperativeHandle(props.ref, () => ({
    scrollToTop: () => virtualizer.scrollToOffset(0),
    focus: () => {
      scroller.current?.focus();
      active.frame(true);
    },
  }));
  return { scroller, virtualizer, active };
}

interface BodyProps {
  grid: GridProps;
  columns: GridColumn[];
  template: string;
  active: ActiveCell;
  virtualizer: ReturnType<typeof useGridRows>['virtualizer'];
}

function Body({ grid, columns, template, active, virtualizer }: BodyProps) {
  const { entity, rows, cards, rowHeight, selection, openId } = grid;
  const Row = cards ? GridCard : GridLine;
  return (
    <div
      role="rowgroup"
      className={cn('relative', grid.stale && 'opacity-60')}
      style={{ height: virtualizer.getTotalSize() }}
    >
      {virtualizer.getVirtualItems().map(({ index, key, start }) => {
        const record = grid.loading ? undefined : rows.records[index];
        const place = { top: start, height: rowHeight, template, columns };
        return record ? (
          <Row
            key={key}
            {...place}
            entity={entity}
            record={record}
            index={index}
            labels={rows.labels}
            selected={selection.ids.has(record.id)}
            open={openId !== null && (openId === record.id || openId === record.number)}
            activeColumn={active.framed && active.row === index ? active.column : null}
          />
        ) : (
          <PlaceholderRow key={key} {...place} cards={cards} />
        );
      })}
    </div>
  );
}

export function Grid(props: GridProps) {
  const { entity, table, rows, selection, cards } = props;
  const columns = useColumns(table, entity);
  const template = gridTemplate(columns, entity.title_field);
  const { scroller, virtualizer, active } = useGridRows(props, columns.length);
  const onKeyDown = useGridKeys(props, columns, active);
  const onClick = useGridPointer(props, active);
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={entity.label_plural}
      aria-rowcount={rows.total === null || rows.more ? -1 : rows.total + 1}
      aria-colcount={cards ? 2 : columns.length + 1}
      aria-multiselectable
      aria-busy={props.loading || props.stale}
      aria-activedescendant={rows.ids.length > 0 ? active.elementId : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onBlur={() => active.frame(false)}
      onFocus={({ target, currentTarget }) => {
        if (target === currentTarget && currentTarget.matches(':focus-visible')) {
          active.frame(true);
        }
      }}
      className="relative min-h-0 flex-1 overflow-auto overscroll-contain outline-none select-none"
    >
      <div style={cards ? undefined : { minWidth: totalWidth(columns) }}>
        {!cards && (
          <GridHeader
            table={table}
            columns={columns}
            template={template}
            sort={props.sort}
            onSort={props.onSort}
            allSelected={allState(selection, rows.ids)}
            activeColumn={active.framed && active.row < 0 ? active.column : null}
          />
        )}
        <Body grid={props} columns={columns} template={template} active={active} virtualizer={virtualizer} />
      </div>
    </div>
  );
}
