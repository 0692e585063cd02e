/** Cells as text for other programs: tabs between columns, one line a record, as spreadsheets paste them. */
import type { RecordData } from '@/api/types';
import type { FormatContext } from '@/records/fields/contract';
import { formatField } from '@/records/fields/lookup';
import type { GridColumn } from './layout';

/** A tab or a line break inside a value would tear the table apart. */
function oneLine(text: string): string {
  return text.replace(/[\t\r\n]+/g, ' ');
}

export function cellText(record: RecordData, column: GridColumn, context: FormatContext): string {
  return formatField(column.field, record[column.id], context);
}

export function tableText(records: RecordData[], columns: GridColumn[], context: FormatContext): string {
  const header = columns.map(({ field }) => oneLine(field.label)).join('\t');
  const lines = records.map((record) =>
    columns.map((column) => oneLine(cellText(record, column, context))).join('\t'),
  );
  return [header, ...lines].join('\n');
}
