/** Rows that belong to the record, edited in place as a small table and sent with it. */
import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { newId } from '@/api/ids';
import type { FieldMeta } from '@/api/types';
import { Button } from '@/ui/button';
import type { ChildRow, InputProps } from '../contract';
import { FieldDisplay } from '../FieldDisplay';
import { FieldInput } from '../FieldInput';
import { kindOf } from '../lookup';

/** Rows have no key of their own until they are saved: each keeps the one it got when it was drawn first. */
function useRowKeys(count: number) {
  const [keys, setKeys] = useState<string[]>([]);
  let shown = keys;
  if (keys.length !== count) {
    shown = Array.from({ length: count }, (_unused, at) => keys[at] ?? newId());
    setKeys(shown);
  }
  return { keys: shown, setKeys };
}

function writable(field: FieldMeta): boolean {
  return field.writable !== false && !field.system && kindOf(field).Input !== null;
}

function emptyRow(fields: FieldMeta[]): ChildRow {
  const filled = fields.filter((field) => field.default !== null && field.default !== undefined);
  return Object.fromEntries(filled.map((field) => [field.name, field.default]));
}

interface RowProps {
  source: InputProps<'children'>;
  row: ChildRow;
  at: number;
  count: number;
  cellId: (at: number, name: string) => string;
  onProblem: (name: string, text: string | null) => void;
  onChange: (row: ChildRow) => void;
  onMove: (by: -1 | 1) => void;
  onRemove: () => void;
}

function Row({ source, row, at, count, cellId, onProblem, onChange, onMove, onRemove }: RowProps) {
  const { t } = useTranslation();
  const { field, labels, disabled, errors } = source;
  const number = at + 1;
  return (
    <tr data-row={at} className="border-b align-top last:border-b-0">
      {field.fields.map((column) => {
        const id = cellId(at, column.name);
        const error = errors?.[`${at}.${column.name}`];
        return (
          <td key={column.name} className="min-w-28 px-1 py-1">
            {writable(column) ? (
              <>
                <label htmlFor={id} className="sr-only">
                  {t('children.cell', { label: column.label, row: number })}
                </label>
                <FieldInput
                  id={id}
                  field={column}
                  value={row[column.name] ?? null}
                  onChange={(value) => onChange({ ...row, [column.name]: value })}
                  onProblem={(text) => onProblem(column.name, text)}
                  invalid={error !== undefined}
                  describedBy={error ? `${id}-error` : undefined}
                  disabled={disabled}
                  labels={labels}
                  states={[]}
                />
                {error && (
                  <p id={`${id}-error`} className="text-danger">
                    {error}
                  </p>
                )}
              </>
            ) : (
              <span className="flex min-h-7 items-center px-1">
                <FieldDisplay
                  field={column}
                  value={row[column.name]}
                  variant="line"
                  labels={labels}
                  states={[]}
                />
              </span>
            )}
          </td>
        );
      })}
      <td className="w-px py-1 pl-1 whitespace-nowrap">
        <Button
          variant="ghost"
          size="icon"
          disabled={disabled || at === 0}
          aria-label={t('children.up', { row: number })}
          onClick={() => onMove(-1)}
        >
          <ArrowUp aria-hidden />
        </Button>
        <Button
          variant="ghost"
          size="icon"
          disabled={disabled || at === count - 1}
          aria-label={t('children.down', { row: number })}
          onClick={() => onMove(1)}
        >
          <ArrowDown aria-hidden />
        </Button>
        <Button
          variant="ghost"
          size="icon"
          disabled={disabled}
          aria-label={t('children.remove', { row: number })}
          onClick={onRemove}
        >
          <Trash2 aria-hidden />
        </Button>
      </td>
    </tr>
  );
}

/** What the rows say is wrong with what is typed in them, as one text for the field. */
function useCellProblems(tell: ((text: string | null) => void) | undefined) {
  const problems = useRef(new Map<string, string>());
  return (cell: string, text: string | null) => {
    if (text === null) {
      problems.current.delete(cell);
    } else {
      problems.current.set(cell, text);
    }
    tell?.([...problems.current.values()][0] ?? null);
  };
}

export function ChildrenInput(props: InputProps<'children'>) {
  const { t } = useTranslation();
  const { field, value, onChange, disabled, id } = props;
  const rows = value ?? [];
  const { keys, setKeys } = useRowKeys(rows.length);
  const prefix = useId();
  const table = useRef<HTMLDivElement>(null);
  const [said, setSaid] = useState('');
  const tellProblem = useCellProblems(props.onProblem);
  const cellId = (at: number, name: string) => `${prefix}-${keys[at] ?? at}-${name}`;
  const set = (next: ChildRow[], nextKeys: string[]) => {
    setKeys(nextKeys);
    onChange(next.length > 0 ? next : null);
  };
  /** The cell exists once the change has been drawn. */
  const focusSoon = (key: string | undefined, name: string | undefined) => {
    requestAnimationFrame(() => document.getElementById(`${prefix}-${key}-${name}`)?.focus());
  };
  const firstColumn = field.fields.find(writable)?.name;
  const add = (column = firstColumn) => {
    const key = newId();
    set([...rows, emptyRow(field.fields)], [...keys, key]);
    setSaid(t('children.added', { row: rows.length + 1 }));
    focusSoon(key, column);
  };
  const move = (at: number, by: -1 | 1) => {
    const to = at + by;
    const row = rows[at];
    const key = keys[at];
    if (row && key && to >= 0 && to < rows.length) {
      set(rows.toSpliced(at, 1).toSpliced(to, 0, row), keys.toSpliced(at, 1).toSpliced(to, 0, key));
      setSaid(t('children.moved', { from: at + 1, to: to + 1 }));
    }
  };
  const remove = (at: number) => {
    for (const column of field.fields) {
      tellProblem(`${keys[at]}.${column.name}`, null);
    }
    set(rows.toSpliced(at, 1), keys.toSpliced(at, 1));
    setSaid(t('children.removed', { row: at + 1 }));
    if (rows.length > 1) {
      focusSoon(keys[at + 1] ?? keys[at - 1], firstColumn);
    } else {
      table.current?.querySelector<HTMLElement>('[data-add]')?.focus();
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const place = (event.target as HTMLElement).closest('[data-row]')?.getAttribute('data-row');
    if (place === null || place === undefined || disabled) {
      return;
    }
    const at = Number(place);
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      move(at, event.key === 'ArrowUp' ? -1 : 1);
      return;
    }
    const target = event.target as HTMLElement;
    const column = field.fields.find(({ name }) => target.id === cellId(at, name))?.name;
    const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    // As in a spreadsheet: down to the next row, and under the last one a new row.
    if (event.key === 'Enter' && plain && target instanceof HTMLInputElement && column !== undefined) {
      event.preventDefault();
      if (at === rows.length - 1) {
        add(column);
      } else {
        focusSoon(keys[at + 1], column);
      }
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div
      ref={table}
      role="group"
      id={id}
      aria-label={field.label}
      aria-describedby={props.describedBy}
      className="rounded-md border"
      onKeyDown={onKeyDown}
    >
      {rows.length > 0 && (
        <div className="overflow-x-auto">
          <table className="w-full">
            <thead>
              <tr className="border-b text-left text-xs text-muted-foreground">
                {field.fields.map((column) => (
                  <th key={column.name} scope="col" className="px-2 py-1 font-medium">
                    {column.label}
                    {column.required && <span aria-hidden> *</span>}
                  </th>
                ))}
                <th>
                  <span className="sr-only">{t('children.actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row, at) => (
                <Row
                  key={keys[at]}
                  source={props}
                  row={row}
                  at={at}
                  count={rows.length}
                  cellId={cellId}
                  onProblem={(name, text) => tellProblem(`${keys[at]}.${name}`, text)}
                  onChange={(next) => set(rows.with(at, next), keys)}
                  onMove={(by) => move(at, by)}
                  onRemove={() => remove(at)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Button
        variant="ghost"
        data-add
        disabled={disabled}
        className="m-1"
        aria-keyshortcuts="Enter"
        onClick={() => add()}
      >
        <Plus aria-hidden /> {t('children.add')}
      </Button>
      <p role="status" className="sr-only">
        {said}
      </p>
    </div>
  );
}
