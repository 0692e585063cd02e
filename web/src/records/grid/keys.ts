/** Where the keys lead in a grid, as a spreadsheet has taught everybody. Pure: no element, no event. */

export interface Cell {
  /** -1 is the header. */
  row: number;
  /** 0 is the box that selects the row. */
  column: number;
}

export interface Bounds {
  rows: number;
  columns: number;
  /** Rows that fit on the screen: how far a page goes. */
  page: number;
}

export interface Key {
  key: string;
  /** Ctrl, or Cmd on a Mac. */
  command: boolean;
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(high, value));
}

/** The cell a key leads to, or null for a key that does not move. */
export function moved(cell: Cell, { key, command }: Key, { rows, columns, page }: Bounds): Cell | null {
  const lastRow = rows - 1;
  const lastColumn = columns - 1;
  const to = (row: number, column: number): Cell => ({
    row: clamp(row, -1, lastRow),
    column: clamp(column, 0, lastColumn),
  });
  switch (key) {
    case 'ArrowDown':
      return to(command ? lastRow : cell.row + 1, cell.column);
    case 'ArrowUp':
      return to(command ? 0 : cell.row - 1, cell.column);
    case 'ArrowRight':
      return to(cell.row, command ? lastColumn : cell.column + 1);
    case 'ArrowLeft':
      return to(cell.row, command ? 0 : cell.column - 1);
    case 'Home':
      return to(command ? 0 : cell.row, 0);
    case 'End':
      return to(command ? lastRow : cell.row, lastColumn);
    case 'PageDown':
      return to(Math.max(cell.row, 0) + page, cell.column);
    case 'PageUp':
      return to(Math.max(cell.row - page, 0), cell.column);
    default:
      return null;
  }
}
