/** Periods down, indicators across; a cell is written as in a spreadsheet. */
import { type ClipboardEvent, type KeyboardEvent, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { decimalForTyping } from '@/records/fields/decimals';
import { cn } from '@/ui/cn';
import type { Tile } from '../figures';
import { periodEnd, periodName } from '../periods';
import { Scroller } from '../Scroller';
import { cellKey, pasted, readBlock } from './sheet';
import type { SheetState } from './useSheet';

interface SheetTableProps {
  tiles: Tile[];
  state: SheetState;
  label: string;
  /** What is wrong with a cell, in words. */
  wrong: (key: string) => string | undefined;
  onBeyond: (cells: number) => void;
}

export function SheetTable({ tiles, state, label, wrong, onBeyond }: SheetTableProps) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const table = useRef<HTMLTableElement>(null);
  const { sheet, typed, type, forget } = state;
  const columns = sheet.columns.flatMap(({ kpi }) => tiles.find((tile) => tile.kpi_id === kpi) ?? []);

  const go = (row: number, column: number) => {
    const cell = table.current?.querySelector<HTMLInputElement>(`[data-cell="${row},${column}"]`);
    cell?.focus();
    cell?.select();
  };

  const onPaste = (event: ClipboardEvent, row: number, column: number) => {
    const block = readBlock(event.clipboardData.getData('text/plain'));
    // One cell is text like any other, and goes where the caret stands.
    if (block.length > 1 || (block[0]?.length ?? 0) > 1) {
      event.preventDefault();
      const { typed: cells, beyond } = pasted(block, sheet, { row, column });
      type(cells);
      onBeyond(beyond);
    }
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>, row: number, column: number, key: string) => {
    const steps: Record<string, number> = { ArrowDown: 1, Enter: event.shiftKey ? -1 : 1, ArrowUp: -1 };
    const down = steps[event.key];
    if (down !== undefined) {
      event.preventDefault();
      go(row + down, column);
    } else if (event.key === 'Escape' && typed[key] !== undefined) {
      event.preventDefault();
      forget([key]);
    }
  };

  return (
    <Scroller label={label} className="min-h-0 flex-1 overflow-auto">
      <table ref={table} className="border-collapse">
        <thead>
          <tr>
            <th
              scope="col"
              className="sticky top-0 left-0 z-20 bg-background px-2 py-1.5 text-left font-medium"
            >
              {t('period.title')}
            </th>
            {columns.map(({ kpi_id, name, unit }) => (
              <th
                key={kpi_id}
                scope="col"
                className="sticky top-0 z-10 max-w-48 min-w-28 bg-background px-2 py-1.5 text-left align-bottom font-medium"
              >
                {name}
                {unit && <span className="font-normal text-muted-foreground"> ({unit})</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sheet.starts.map((start, row) => {
            const name = periodName(sheet.frequency, start, language, t);
            const closed =
              sheet.closedBefore !== null && periodEnd(sheet.frequency, start) < sheet.closedBefore;
            return (
              <tr key={start}>
                <th
                  scope="row"
                  className="sticky left-0 z-10 border bg-background px-2 text-left font-normal whitespace-nowrap"
                >
                  {name}
                </th>
                {columns.map((tile, column) => {
                  const key = cellKey(tile.kpi_id, start);
                  const stored = sheet.stored.get(key);
                  const text = typed[key];
                  const fault = wrong(key);
                  return (
                    <td key={tile.kpi_id} className="border p-0">
                      <input
                        data-cell={`${row},${column}`}
                        aria-label={t('entry.cell', { name: tile.name, period: name })}
                        aria-invalid={fault !== undefined}
                        title={fault ?? (stored?.byParts ? t('entry.fault.by_parts') : undefined)}
                        inputMode="decimal"
                        autoComplete="off"
                        readOnly={closed || stored?.byParts}
                        value={text ?? (stored?.value ? decimalForTyping(stored.value, language) : '')}
                        className={cn(
                          'h-8 w-full min-w-28 bg-transparent px-2 text-right tabular-nums outline-offset-[-2px] pointer-coarse:h-11 pointer-coarse:text-base',
                          (closed || stored?.byParts) && 'bg-surface text-muted-foreground',
                          text !== undefined && 'bg-selected font-medium',
                          fault !== undefined && 'bg-danger-surface text-danger',
                        )}
                        onChange={({ target }) => type({ [key]: target.value })}
                        onPaste={(event) => onPaste(event, row, column)}
                        onKeyDown={(event) => onKeyDown(event, row, column, key)}
                      />
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroller>
  );
}
