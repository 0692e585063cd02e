/**
 * The state of a list as it stands in the address. A link restores the view, what was changed of it, and
 * the record that was open; "back" undoes each step.
 */
import type { Condition } from '@/api/types';

export interface GridSearch {
  /** `module:NAME`, or the id of a saved view. Absent: everything, as the entity's list declares it. */
  view?: string;
  q?: string;
  /** These three replace what the view says. `filter: null` is "no filter" where the view has one. */
  filter?: Condition | null;
  sort?: string[];
  columns?: string[];
  /** The record shown beside the list. */
  open?: string;
  /** Deleted records, to bring them back. */
  deleted?: boolean;
  /** The dialog that creates a record is open. */
  create?: boolean;
}

function text(value: unknown): string | undefined {
  // The router reads `q=123` as a number.
  const word = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
  return typeof word === 'string' && word !== '' ? word : undefined;
}

function names(value: unknown): string[] | undefined {
  const list = typeof value === 'string' ? value.split(',') : value;
  if (!Array.isArray(list)) {
    return undefined;
  }
  const found = list.filter((entry): entry is string => typeof entry === 'string' && entry !== '');
  return found.length > 0 ? found : undefined;
}

function isCondition(value: unknown): value is Condition {
  if (typeof value !== 'object' || value === null) {
    return false;
  }
  if ('all' in value) {
    return Array.isArray(value.all) && value.all.every(isCondition);
  }
  if ('any' in value) {
    return Array.isArray(value.any) && value.any.every(isCondition);
  }
  if ('not' in value) {
    return isCondition(value.not);
  }
  return 'field' in value && typeof value.field === 'string' && 'op' in value && typeof value.op === 'string';
}

/**
 * Whatever somebody typed into the address: what cannot be understood is left out. A plain function, for
 * a validation library here would stand in the first load of every page.
 */
export function readGridSearch(raw: Record<string, unknown>): GridSearch {
  const search: GridSearch = {
    view: text(raw.view),
    q: text(raw.q),
    filter: raw.filter === null || isCondition(raw.filter) ? raw.filter : undefined,
    sort: names(raw.sort),
    columns: names(raw.columns),
    open: text(raw.open),
    deleted: raw.deleted === true ? true : undefined,
    create: raw.create === true ? true : undefined,
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}
