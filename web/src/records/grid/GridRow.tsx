/** One line of the grid, and its shape on a phone. */
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, Labels, RecordData } from '@/api/types';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { Checkmark } from '@/ui/checkmark';
import { cn } from '@/ui/cn';
import { Highlight } from '@/ui/highlight';
import { Skeleton } from '@/ui/skeleton';
import type { GridColumn } from './layout';

export interface GridRowProps {
  entity: EntityMeta;
  record: RecordData;
  index: number;
  top: number;
  height: number;
  columns: GridColumn[];
  template: string;
  labels: Labels;
  selected: boolean;
  open: boolean;
  /** The column the keyboard stands in, when it stands in this row. */
  activeColumn: number | null;
}

export function rowId(id: string, column: number): string {
  return `row-${id}-${column}`;
}

/** What a row is called where it must be named: "TIC-000123 Printer offline". */
export function recordName(entity: EntityMeta, record: RecordData): string {
  const title = entity.title_field === null ? undefined : record[entity.title_field];
  return [entity.number ? record.number : undefined, title]
    .filter((part) => typeof part === 'string')
    .join(' ');
}

type CellProps = Pick<GridRowProps, 'entity' | 'record' | 'labels'> & { column: GridColumn };

function Content({ entity, record, labels, column }: CellProps) {
  const highlight = record.highlights?.[column.id];
  const content =
    highlight === undefined ? (
      <FieldDisplay
        field={column.field}
        value={record[column.id]}
        variant="line"
        labels={labels}
        states={entity.states}
      />
    ) : (
      <span className="truncate">
        <Highlight text={highlight} />
      </span>
    );
  if (column.id !== entity.title_field) {
    return content;
  }
  // A real link, so that it can be opened in another tab; a plain click is the grid's.
  return (
    <a
      href={`/r/${entity.collection}/${record.id}`}
      tabIndex={-1}
      data-open
      className="flex min-w-0 items-center font-medium hover:underline"
    >
      {content}
    </a>
  );
}

const surface =
  'bg-background group-hover/row:bg-hover group-aria-selected/row:bg-selected group-data-open/row:bg-selected';

const cardSurface = 'bg-background hover:bg-hover aria-selected:bg-selected data-open:bg-selected';

interface SelectCellProps {
  entity: EntityMeta;
  record: RecordData;
  selected: boolean;
  className: string;
}

/** The box that selects the row. */
function SelectCell({ entity, record, selected, className }: SelectCellProps) {
  const { t } = useTranslation();
  return (
    <div
      role="gridcell"
      id={rowId(record.id, 0)}
      aria-colindex={1}
      data-select
      aria-label={t('grid.select_row', { name: recordName(entity, record) })}
      className={cn('grid place-items-center', className)}
    >
      <Checkmark checked={selected} />
    </div>
  );
}

function LineRow({
  entity,
  record,
  index,
  top,
  height,
  columns,
  template,
  labels,
  selected,
  open,
  activeColumn,
}: GridRowProps) {
  const ring = 'outline-2 -outline-offset-2 outline-accent';
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      data-row={record.id}
      data-open={open || undefined}
      className="group/row absolute inset-x-0 grid border-b"
      style={{ height, transform: `translateY(${top}px)`, gridTemplateColumns: template }}
    >
      <SelectCell
        entity={entity}
        record={record}
        selected={selected}
        className={cn('sticky left-0 z-1', surface, activeColumn === 0 && ring)}
      />
      {columns.map((column, at) => (
        <div
          key={column.id}
          role="gridcell"
          id={rowId(record.id, at + 1)}
          aria-colindex={at + 2}
          className={cn(
            'flex min-w-0 items-center px-2',
            surface,
            column.align === 'end' && 'justify-end text-right',
            column.pinned !== null && 'sticky z-1',
            activeColumn === at + 1 && ring,
          )}
          style={column.pinned === null ? undefined : { left: column.pinned }}
        >
          <Content entity={entity} record={record} labels={labels} column={column} />
        </div>
      ))}
      <div aria-hidden className={surface} />
    </div>
  );
}

/** Two lines: what it is, and where it stands. Columns keep their order. */
function CardRow({
  entity,
  record,
  index,
  top,
  height,
  columns,
  labels,
  selected,
  open,
  activeColumn,
}: GridRowProps) {
  const title = columns.find(({ id }) => id === entity.title_field) ?? columns[0];
  const rest = columns.filter((column) => column !== title).slice(0, 4);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      data-row={record.id}
      data-open={open || undefined}
      className={cn(
        'absolute inset-x-0 flex border-b',
        cardSurface,
        activeColumn !== null && 'outline-2 -outline-offset-2 outline-accent',
      )}
      style={{ height, transform: `translateY(${top}px)` }}
    >
      <SelectCell entity={entity} record={record} selected={selected} className="w-11 shrink-0" />
      <div
        role="gridcell"
        id={rowId(record.id, 1)}
        aria-colindex={2}
        className="flex min-w-0 flex-1 flex-col justify-center gap-1 pr-3"
      >
        <div className="flex min-w-0 text-base">
          {title && <Content entity={entity} record={record} labels={labels} column={title} />}
        </div>
        <div className="flex min-w-0 items-center gap-2 overflow-hidden text-xs text-muted-foreground">
          {rest.map((column) => (
            <span key={column.id} className="flex max-w-40 shrink-0 last:min-w-0 last:shrink">
              <Content entity={entity} record={record} labels={labels} column={column} />
            </span>
          ))}
        </div>
      </div>
    </div>
  );
}

export const GridLine = memo(LineRow);
export const GridCard = memo(CardRow);

interface PlaceholderProps {
  top: number;
  height: number;
  template: string;
  columns: GridColumn[];
  cards: boolean;
}

const WIDTHS = ['w-3/5', 'w-4/5', 'w-2/5', 'w-1/2'];

/** A row that is being read. */
export function PlaceholderRow({ top, height, template, columns, cards }: PlaceholderProps) {
  return (
    <div
      aria-hidden
      className="absolute inset-x-0 grid items-center border-b"
      style={{
        height,
        transform: `translateY(${top}px)`,
        gridTemplateColumns: cards ? '44px 1fr' : template,
      }}
    >
      <span />
      {cards ? (
        <span className="flex flex-col gap-2 pr-6">
          <Skeleton className="h-3.5 w-4/5" />
          <Skeleton className="h-3 w-1/2" />
        </span>
      ) : (
        columns.map(({ id }, at) => (
          <span key={id} className="px-2">
            <Skeleton className={cn('h-3', WIDTHS[at % WIDTHS.length])} />
          </span>
        ))
      )}
    </div>
  );
}
