/**
 * Records in rows. One stop for the Tab key: inside, the arrows lead, and the cell they stand in is named by
 * `aria-activedescendant`. The row the keyboard stands in is kept drawn even when it is scrolled away, so
 * that it can always be named.
 */
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  type MouseEvent,
  type Ref,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta } from '@/api/types';
import { useReader } from '@/reader/context';
import { cn } from '@/ui/cn';
import { cellText, tableText } from './copy';
import { GridHeader, HEADER_ID } from './GridHeader';
import { GridCard, GridLine, PlaceholderRow, rowId } from './GridRow';
import { type Cell, moved } from './keys';
import { type GridTable, gridColumns, gridTemplate, totalWidth } from './layout';
import type { Rows } from './rows';
import { allState, extendTo, NOTHING, type Selection, selectAll, toggle } from './selection';

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
  cards: boolean;
  rowHeight: number;
}

const AHEAD = 30;
const PLACEHOLDERS = 24;
const RESIZE_STEP = 16;

export function Grid(props: GridProps) {
  const { entity, table, rows, loading, hasMore, selection, onSelect, cards, rowHeight } = props;
  const { t } = useTranslation();
  const reader = useReader();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<{ id: string | null; cell: Cell }>({
    id: null,
    cell: { row: 0, column: 1 },
  });
  const [byKeyboard, setByKeyboard] = useState(false);
  const columns = gridColumns(table, entity);
  const template = gridTemplate(columns, entity.title_field);
  // Resizing makes new columns all the time; rows must be drawn again only when one of them changed.
  const shape = JSON.stringify(columns.map(({ id, width, pinned }) => [id, width, pinned]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` is the columns, by content
  const stable = useMemo(() => columns, [shape, entity]);
  const places = useMemo(() => new Map(rows.ids.map((id, index) => [id, index])), [rows.ids]);
  // Rows come and go above: the keyboard stays with its record, and only without it with its place.
  const followed = active.cell.row < 0 || active.id === null ? undefined : places.get(active.id);
  const row = Math.min(followed ?? active.cell.row, rows.ids.length - 1);
  const column = Math.min(active.cell.column, cards ? 1 : columns.length);
  const count = loading ? PLACEHOLDERS : rows.ids.length + (hasMore ? 3 : 0);

  const virtualizer = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollPaddingStart: cards ? 0 : 44,
    getItemKey: (index) => rows.ids[index] ?? index,
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      return row >= 0 && row < count && !indexes.includes(row)
        ? [...indexes, row].sort((a, b) => a - b)
        : indexes;
    },
    onChange: (instance) => {
      const last = instance.range?.endIndex ?? 0;
      if (hasMore && !loading && last >= rows.ids.length - AHEAD) {
        props.onReachEnd();
      }
      props.onScrolledAway((instance.scrollOffset ?? 0) > rowHeight);
    },
  });

  useImperativeHandle(props.ref, () => ({
    scrollToTop: () => virtualizer.scrollToOffset(0),
    focus: () => scroller.current?.focus(),
  }));

  const go = (cell: Cell) => {
    setActive({ id: rows.ids[cell.row] ?? null, cell });
    setByKeyboard(true);
    if (cell.row >= 0) {
      virtualizer.scrollToIndex(cell.row, { align: 'auto' });
    }
    const target = document.getElementById(
      cell.row < 0 ? `${HEADER_ID}-${cell.column}` : rowId(rows.ids[cell.row] ?? '', cell.column),
    );
    target?.scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
  };

  const copy = () => {
    const context = {
      ...reader,
      labels: rows.labels,
      states: entity.states,
      yes: t('field.yes'),
      no: t('field.no'),
    };
    const chosen = rows.records.filter(({ id }) => selection.ids.has(id));
    const record = rows.records[row];
    const current = columns[column - 1];
    const text =
      chosen.length > 0
        ? tableText(chosen, columns, context)
        : record && current
          ? cellText(record, current, context)
          : '';
    void navigator.clipboard?.writeText(text);
  };

  const onHeaderKey = (event: KeyboardEvent): boolean => {
    const current = columns[column - 1];
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (event.key === 'Enter' || event.key === ' ') {
      if (current?.field.sortable) {
        props.onSort(current.id, event.shiftKey);
      } else if (column === 0) {
        onSelect(allState(selection, rows.ids) === true ? NOTHING : selectAll(rows.ids));
      }
      return true;
    }
    if (event.altKey && step !== 0 && current) {
      if (event.shiftKey) {
        props.onMoveColumn(current.id, step);
        go({ row: -1, column: Math.max(1, Math.min(columns.length, column + step)) });
      } else {
        table.setColumnSizing((sizing) => ({
          ...sizing,
          [current.id]: Math.max(60, current.width + step * RESIZE_STEP),
        }));
      }
      return true;
    }
    return false;
  };

  const onRowKey = (event: KeyboardEvent, command: boolean): boolean => {
    const id = rows.ids[row];
    if (id === undefined) {
      return false;
    }
    if (event.key === 'Enter') {
      props.onOpen(id);
      return true;
    }
    if (event.key === ' ') {
      onSelect(event.shiftKey ? extendTo(selection, id, rows.ids) : toggle(selection, id));
      return true;
    }
    if (command && event.key.toLowerCase() === 'c' && window.getSelection()?.isCollapsed !== false) {
      copy();
      return true;
    }
    if (event.shiftKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      const next = Math.max(0, Math.min(rows.ids.length - 1, row + (event.key === 'ArrowDown' ? 1 : -1)));
      const from = selection.anchor === null ? { ...selection, anchor: id } : selection;
      onSelect(extendTo(from, rows.ids[next] ?? id, rows.ids));
      go({ row: next, column });
      return true;
    }
    return false;
  };

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget) {
      return;
    }
    const command = event.ctrlKey || event.metaKey;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / rowHeight) - 2);
    const handled = (() => {
      if (command && event.key.toLowerCase() === 'a') {
        onSelect(selectAll(rows.ids));
        return true;
      }
      if (event.key === 'Escape') {
        props.onEscape();
        return true;
      }
      if (row < 0 ? onHeaderKey(event) : onRowKey(event, command)) {
        return true;
      }
      const bounds = { rows: rows.ids.length, columns: cards ? 2 : columns.length + 1, page };
      const cell = event.altKey ? null : moved({ row, column }, { key: event.key, command }, bounds);
      if (cell) {
        go(cards && cell.row < 0 ? { ...cell, row: 0 } : cell);
      }
      return cell !== null;
    })();
    if (handled) {
      event.preventDefault();
    }
  };

  const onClick = (event: MouseEvent<HTMLDivElement>) => {
    const target = event.target as HTMLElement;
    setByKeyboard(false);
    if (target.closest('[data-select-all]')) {
      onSelect(allState(selection, rows.ids) === true ? NOTHING : selectAll(rows.ids));
      return;
    }
    const id = target.closest('[data-row]')?.getAttribute('data-row');
    const link = target.closest('a');
    if (!id || (link && (!link.hasAttribute('data-open') || event.ctrlKey || event.metaKey))) {
      return;
    }
    const index = places.get(id) ?? 0;
    if (target.closest('[data-select]')) {
      onSelect(event.shiftKey ? extendTo(selection, id, rows.ids) : toggle(selection, id));
    } else if (event.shiftKey) {
      onSelect(extendTo(selection, id, rows.ids));
    } else if (event.ctrlKey || event.metaKey) {
      onSelect(toggle(selection, id));
    } else if (window.getSelection()?.isCollapsed !== false) {
      event.preventDefault();
      props.onOpen(id);
    }
    setActive({ id, cell: { row: index, column } });
    scroller.current?.focus({ preventScroll: true });
  };

  const Row = cards ? GridCard : GridLine;
  const activeId = row < 0 ? `${HEADER_ID}-${column}` : rowId(rows.ids[row] ?? '', column);
  return (
    <div
      ref={scroller}
      role="grid"
      aria-label={entity.label_plural}
      aria-rowcount={rows.total === null || rows.more ? -1 : rows.total + 1}
      aria-colcount={cards ? 2 : columns.length + 1}
      aria-multiselectable
      aria-busy={loading || props.stale}
      aria-activedescendant={rows.ids.length > 0 ? activeId : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onBlur={() => setByKeyboard(false)}
      onFocus={(event) => {
        if (event.target === event.currentTarget && event.currentTarget.matches(':focus-visible')) {
          setByKeyboard(true);
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
            activeColumn={byKeyboard && row < 0 ? column : null}
          />
        )}
        <div
          role="rowgroup"
          className={cn('relative', props.stale && 'opacity-60')}
          style={{ height: virtualizer.getTotalSize() }}
        >
          {virtualizer.getVirtualItems().map((item) => {
            const record = loading ? undefined : rows.records[item.index];
            return record ? (
              <Row
                key={record.id}
                entity={entity}
                record={record}
                index={item.index}
                top={item.start}
                height={rowHeight}
                columns={stable}
                template={template}
                labels={rows.labels}
                selected={selection.ids.has(record.id)}
                open={props.openId === record.id || props.openId === record.number}
                activeColumn={byKeyboard && row === item.index ? column : null}
              />
            ) : (
              <PlaceholderRow
                key={item.key}
                top={item.start}
                height={rowHeight}
                template={template}
                columns={stable}
                cards={cards}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}
