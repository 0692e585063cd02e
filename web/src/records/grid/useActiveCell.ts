/** The cell the keyboard stands in. It follows its record when rows come and go above it. */
import { useMemo, useState } from 'react';
import { HEADER_ID } from './GridHeader';
import { rowId } from './GridRow';
import type { Cell } from './keys';

interface ActiveCellOptions {
  ids: string[];
  columns: number;
  scrollToRow: (row: number) => void;
}

export interface ActiveCell extends Cell {
  /** Row of each record on screen. */
  places: ReadonlyMap<string, number>;
  /** The cell is drawn with a frame only while the keyboard is what leads it. */
  framed: boolean;
  elementId: string;
  go: (cell: Cell) => void;
  /** The mouse has put it elsewhere. */
  put: (cell: Cell) => void;
  frame: (on: boolean) => void;
}

export function useActiveCell({ ids, columns, scrollToRow }: ActiveCellOptions): ActiveCell {
  const [active, setActive] = useState<{ id: string | null; cell: Cell }>({
    id: null,
    cell: { row: 0, column: 1 },
  });
  const [framed, frame] = useState(false);
  const places = useMemo(() => new Map(ids.map((id, index) => [id, index])), [ids]);
  const followed = active.cell.row < 0 || active.id === null ? undefined : places.get(active.id);
  const row = Math.min(followed ?? active.cell.row, ids.length - 1);
  const column = Math.min(active.cell.column, columns - 1);
  const elementOf = (cell: Cell) =>
    cell.row < 0 ? `${HEADER_ID}-${cell.column}` : rowId(ids[cell.row] ?? '', cell.column);
  const put = (cell: Cell) => {
    setActive({ id: ids[cell.row] ?? null, cell });
    frame(false);
  };
  const go = (cell: Cell) => {
    put(cell);
    frame(true);
    if (cell.row >= 0) {
      scrollToRow(cell.row);
    }
    // Rows are brought up by the virtual list; this brings up a column that is scrolled aside.
    document.getElementById(elementOf(cell))?.scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
  };
  return { row, column, places, framed, elementId: elementOf({ row, column }), go, put, frame };
}
