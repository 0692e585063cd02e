import { ArrowDown, ArrowUp } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Checkmark } from '@/ui/checkmark';
import { cn } from '@/ui/cn';
import type { GridColumn, GridTable } from './layout';

export const HEADER_ID = 'grid-header';

interface GridHeaderProps {
  table: GridTable;
  columns: GridColumn[];
  template: string;
  sort: string[];
  onSort: (field: string, add: boolean) => void;
  allSelected: boolean | 'indeterminate';
  activeColumn: number | null;
}

interface SortState {
  direction: 'ascending' | 'descending';
  /** 1 for the first key of the order. */
  place: number;
}

export function sortOf(sort: string[], field: string): SortState | null {
  const at = sort.findIndex((key) => key === field || key === `-${field}`);
  if (at < 0) {
    return null;
  }
  return { direction: sort[at] === field ? 'ascending' : 'descending', place: at + 1 };
}

interface HeaderCellProps {
  column: GridColumn;
  at: number;
  table: GridTable;
  sort: string[];
  onSort: GridHeaderProps['onSort'];
  active: boolean;
}

function HeaderCell({ column, at, table, sort, onSort, active }: HeaderCellProps) {
  const { t } = useTranslation();
  const sorted = sortOf(sort, column.id);
  const sortable = column.field.sortable === true;
  const Arrow = sorted?.direction === 'descending' ? ArrowDown : ArrowUp;
  const header = table.getFlatHeaders().find(({ column: { id } }) => id === column.id);
  const resize = header?.getResizeHandler();
  return (
    <div
      role="columnheader"
      id={`${HEADER_ID}-${at + 1}`}
      aria-colindex={at + 2}
      aria-sort={sorted?.direction ?? (sortable ? 'none' : undefined)}
      className={cn(
        'group/head relative flex min-w-0 items-stretch bg-surface',
        column.pinned !== null && 'sticky z-1',
        active && 'outline-2 -outline-offset-2 outline-accent',
      )}
      style={column.pinned === null ? undefined : { left: column.pinned }}
    >
      <button
        type="button"
        tabIndex={-1}
        disabled={!sortable}
        title={sortable ? t('grid.sort_hint') : column.field.label}
        onClick={(event) => onSort(column.id, event.shiftKey)}
        className={cn(
          'flex min-w-0 flex-1 items-center gap-1 px-2 text-left text-xs font-medium text-muted-foreground enabled:hover:text-foreground',
          column.align === 'end' && 'justify-end',
        )}
      >
        <span className="truncate">{column.field.label}</span>
        {sorted && (
          <>
            <Arrow aria-hidden className="size-3.5 shrink-0 text-foreground" />
            {sort.length > 1 && <span className="text-foreground">{sorted.place}</span>}
          </>
        )}
      </button>
      <span
        aria-hidden
        onMouseDown={resize}
        onTouchStart={resize}
        className="absolute inset-y-1 right-0 w-2 cursor-col-resize touch-none border-r-2 border-transparent group-hover/head:border-border hover:border-accent!"
      />
    </div>
  );
}

export function GridHeader({
  table,
  columns,
  template,
  sort,
  onSort,
  allSelected,
  activeColumn,
}: GridHeaderProps) {
  const { t } = useTranslation();
  return (
    <div role="rowgroup" className="sticky top-0 z-2">
      <div
        role="row"
        aria-rowindex={1}
        className="grid h-8 border-b bg-surface pointer-coarse:h-[45px]"
        style={{ gridTemplateColumns: template }}
      >
        <div
          role="columnheader"
          id={`${HEADER_ID}-0`}
          aria-colindex={1}
          data-select-all
          className={cn(
            'sticky left-0 z-1 grid place-items-center bg-surface',
            activeColumn === 0 && 'outline-2 -outline-offset-2 outline-accent',
          )}
        >
          <span className="sr-only">{t('grid.select_all')}</span>
          <Checkmark checked={allSelected} />
        </div>
        {columns.map((column, at) => (
          <HeaderCell
            key={column.id}
            column={column}
            at={at}
            table={table}
            sort={sort}
            onSort={onSort}
            active={activeColumn === at + 1}
          />
        ))}
        <div aria-hidden className="bg-surface" />
      </div>
    </div>
  );
}
