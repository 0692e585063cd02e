/**
 * The sheet in which values are entered: cells of indicator and period, what is stored in them, what was
 * typed or pasted over it, and what of that can be written. Numbers are digits from the key to the server.
 */
import type { BulkOperation } from '@/api/types';
import { decimalFault, readDecimal } from '@/records/fields/decimals';
import { type Frequency, periodEnd } from '../periods';

export interface Column {
  kpi: string;
  unit: string | null;
}

/** A value as it is stored. */
export interface Stored {
  id: string;
  value: string | null;
  /** It follows from a numerator and a denominator, and is corrected there. */
  byParts: boolean;
}

export interface Sheet {
  frequency: Frequency;
  columns: Column[];
  starts: string[];
  stored: Map<string, Stored>;
  /** Periods that end before this day are closed. */
  closedBefore: string | null;
}

export type Typed = Record<string, string>;

export type Fault =
  | { code: 'not_a_number' }
  | { code: 'too_precise'; count: number }
  | { code: 'too_large' }
  | { code: 'closed' }
  | { code: 'by_parts' };

export function cellKey(kpi: string, start: string): string {
  return `${kpi} ${start}`;
}

/** Of `decimal`, 28 digits of which 10 after the point: what the server keeps exactly. */
const LIMITS = { precision: 28, scale: 10 };

/** A spreadsheet copies the unit with the number: `12,5 %`, `1 234,56 €`. */
function withoutUnit(text: string, unit: string | null): string {
  const bare = text.trim();
  return unit && bare.toLowerCase().endsWith(unit.toLowerCase()) ? bare.slice(0, -unit.length) : bare;
}

/** `null` is an empty cell. */
export function readCell(
  text: string,
  language: string,
  unit: string | null,
): { value: string | null } | { fault: Fault } {
  const bare = withoutUnit(text, unit);
  if (bare.trim() === '') {
    return text.trim() === '' ? { value: null } : { fault: { code: 'not_a_number' } };
  }
  const value = readDecimal(bare, language);
  if (value === undefined) {
    return { fault: { code: 'not_a_number' } };
  }
  const fault = decimalFault(value, LIMITS);
  if (fault?.fault === 'too_precise') {
    return { fault: { code: 'too_precise', count: fault.count } };
  }
  return fault ? { fault: { code: 'too_large' } } : { value };
}

/** Rows of cells as a spreadsheet puts them on the clipboard; a cell in quotation marks may hold line ends. */
export function readBlock(text: string): string[][] {
  const rows: string[][] = [[]];
  const cell = /"((?:[^"]|"")*)"(?=\t|\r|\n|$)|([^\t\r\n]*)/y;
  let at = 0;
  while (at <= text.length) {
    cell.lastIndex = at;
    const [whole = '', quoted, plain = ''] = cell.exec(text) ?? [];
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    at += whole.length;
    if (at >= text.length) {
      break;
    }
    if (text[at] === '\t') {
      at += 1;
    } else {
      at += text.startsWith('\r\n', at) ? 2 : 1;
      if (at < text.length) {
        rows.push([]);
      } else {
        break;
      }
    }
  }
  return rows;
}

/** What a block changes when its first cell is put at a place, and how many of its cells have no place. */
export function pasted(
  block: string[][],
  { columns, starts }: Sheet,
  at: { row: number; column: number },
): { typed: Typed; beyond: number } {
  const typed: Typed = {};
  let beyond = 0;
  block.forEach((cells, down) => {
    cells.forEach((text, right) => {
      const start = starts[at.row + down];
      const column = columns[at.column + right];
      if (start !== undefined && column) {
        typed[cellKey(column.kpi, start)] = text.trim();
      } else if (text.trim() !== '') {
        beyond += 1;
      }
    });
  });
  return { typed, beyond };
}

export interface CellChange {
  key: string;
  kpi: string;
  start: string;
  fault: Fault | null;
  /** Nothing when the cell cannot be written, or says what is stored. */
  operation: BulkOperation | null;
}

/** Every cell that says something else than what is stored, in the order of the sheet. */
export function changesOf(sheet: Sheet, typed: Typed, language: string): CellChange[] {
  return sheet.starts.flatMap((start) =>
    sheet.columns.flatMap((column): CellChange[] => {
      const key = cellKey(column.kpi, start);
      const text = typed[key];
      if (text === undefined) {
        return [];
      }
      const read = readCell(text, language, column.unit);
      const stored = sheet.stored.get(key);
      const cell = { key, kpi: column.kpi, start };
      if ('value' in read && sameNumber(read.value, stored?.value ?? null)) {
        return [];
      }
      const fault = 'fault' in read ? read.fault : placeFault(sheet, start, stored);
      if (fault || !('value' in read)) {
        return [{ ...cell, fault, operation: null }];
      }
      return [{ ...cell, fault: null, operation: operationOf(column.kpi, start, read.value, stored) }];
    }),
  );
}

function placeFault(sheet: Sheet, start: string, stored: Stored | undefined): Fault | null {
  if (sheet.closedBefore !== null && periodEnd(sheet.frequency, start) < sheet.closedBefore) {
    return { code: 'closed' };
  }
  return stored?.byParts ? { code: 'by_parts' } : null;
}

function operationOf(
  kpi: string,
  start: string,
  value: string | null,
  stored: Stored | undefined,
): BulkOperation | null {
  if (!stored) {
    return value === null ? null : { op: 'create', data: { kpi_id: kpi, period_start: start, value } };
  }
  return value === null ? { op: 'delete', id: stored.id } : { op: 'update', id: stored.id, data: { value } };
}

/** 12.5 and 12.50 are the same number. */
function sameNumber(a: string | null, b: string | null): boolean {
  const bare = (value: string | null) =>
    value === null || !value.includes('.') ? value : value.replace(/\.?0+$/, '');
  return bare(a) === bare(b);
}
