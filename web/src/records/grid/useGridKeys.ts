/** What the keys do in the grid. Where they lead is settled in `keys.ts`. */
import type { KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { cellText, tableText } from './copy';
import type { GridProps } from './Grid';
import { moved } from './keys';
import { type GridColumn, MIN_WIDTH } from './layout';
import { allState, extendTo, NOTHING, selectAll, toggle } from './selection';
import type { ActiveCell } from './useActiveCell';

const RESIZE_STEP = 16;

type KeysProps = Pick<
  GridProps,
  | 'entity'
  | 'table'
  | 'rows'
  | 'selection'
  | 'onSelect'
  | 'onSort'
  | 'onOpen'
  | 'onEscape'
  | 'onMoveColumn'
  | 'cards'
  | 'rowHeight'
>;

type Keys = (event: KeyboardEvent<HTMLDivElement>) => void;

/** Text of the selected rows, or of the cell the keyboard stands in. */
function useCopy({ entity, rows, selection }: KeysProps, columns: GridColumn[], active: ActiveCell) {
  const { t } = useTranslation();
  const reader = useReader();
  return () => {
    const context = {
      ...reader,
      labels: rows.labels,
      states: entity.states,
      yes: t('field.yes'),
      no: t('field.no'),
    };
    const chosen = rows.records.filter(({ id }) => selection.ids.has(id));
    const record = rows.records[active.row];
    const column = columns[active.column - 1];
    const cell = record && column ? cellText(record, column, context) : '';
    void navigator.clipboard?.writeText(chosen.length > 0 ? tableText(chosen, columns, context) : cell);
  };
}

function headerKeys(props: KeysProps, columns: GridColumn[], active: ActiveCell) {
  const { table, rows, selection, onSelect } = props;
  const column = columns[active.column - 1];
  const press = (shift: boolean) => {
    if (active.column === 0) {
      onSelect(allState(selection, rows.ids) === true ? NOTHING : selectAll(rows.ids));
    } else if (column?.field.sortable) {
      props.onSort(column.id, shift);
    }
  };
  const change = (step: -1 | 1, shift: boolean) => {
    if (!column) {
      return;
    }
    if (shift) {
      props.onMoveColumn(column.id, step);
      active.go({ row: -1, column: Math.max(1, Math.min(columns.length, active.column + step)) });
    } else {
      const width = Math.max(MIN_WIDTH, column.width + step * RESIZE_STEP);
      table.setColumnSizing((sizing) => ({ ...sizing, [column.id]: width }));
    }
  };
  return (event: KeyboardEvent): boolean => {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : null;
    if (event.key === 'Enter' || event.key === ' ') {
      press(event.shiftKey);
      return true;
    }
    if (event.altKey && step !== null) {
      change(step, event.shiftKey);
      return true;
    }
    return false;
  };
}

function rowKeys(props: KeysProps, active: ActiveCell, copy: () => void) {
  const { rows, selection, onSelect } = props;
  const extend = (id: string, step: -1 | 1) => {
    const next = Math.max(0, Math.min(rows.ids.length - 1, active.row + step));
    // Without a selection to extend, it starts where the keyboard stands.
    const from = selection.anchor === null ? { ...selection, anchor: id } : selection;
    onSelect(extendTo(from, rows.ids[next] ?? id, rows.ids));
    active.go({ row: next, column: active.column });
  };
  return (event: KeyboardEvent, command: boolean): boolean => {
    const id = rows.ids[active.row];
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
    if (command && event.key.toLowerCase() === 'c') {
      copy();
      return true;
    }
    if (event.shiftKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      extend(id, event.key === 'ArrowDown' ? 1 : -1);
      return true;
    }
    return false;
  };
}

export function useGridKeys(props: KeysProps, columns: GridColumn[], active: ActiveCell): Keys {
  const { rows, cards, onSelect } = props;
  const copy = useCopy(props, columns, active);
  const onHeader = headerKeys(props, columns, active);
  const onRow = rowKeys(props, active, copy);
  const move = (event: KeyboardEvent<HTMLDivElement>, command: boolean): boolean => {
    const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / props.rowHeight) - 2);
    const bounds = { rows: rows.ids.length, columns: cards ? 2 : columns.length + 1, page };
    const cell = event.altKey ? null : moved(active, { key: event.key, command }, bounds);
    if (cell) {
      // Two-line rows have no header to stand in.
      active.go(cards ? { ...cell, row: Math.max(0, cell.row) } : cell);
    }
    return cell !== null;
  };
  const handle = (event: KeyboardEvent<HTMLDivElement>): boolean => {
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === 'a') {
      onSelect(selectAll(rows.ids));
      return true;
    }
    if (event.key === 'Escape') {
      props.onEscape();
      return true;
    }
    return (active.row < 0 ? onHeader(event) : onRow(event, command)) || move(event, command);
  };
  return (event) => {
    if (event.target === event.currentTarget && handle(event)) {
      event.preventDefault();
    }
  };
}
