/** Filters, sorts and pages records in memory, as the documented list operation does. */
import type { Condition, EntityMeta, Labels, ListPage, RecordData } from '@/api/types';

export interface Context {
  me: string;
  labels: Labels;
  entity: EntityMeta;
}

function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

function resolve(value: unknown, { me }: Context): unknown {
  switch (value) {
    case '@me':
      return me;
    case '@now':
      return new Date().toISOString();
    case '@today':
      return new Date().toISOString().slice(0, 10);
    default:
      return value;
  }
}

/** Choices and states compare in declared order, everything else by its text or number. */
function rank(name: string, value: unknown, { entity }: Context): string | number {
  const field = entity.fields.find((candidate) => candidate.name === name);
  if (field?.type === 'choice') {
    return field.options.findIndex((option) => option.value === value);
  }
  if (field?.type === 'state') {
    return entity.states.findIndex((state) => state.value === value);
  }
  if (field?.type === 'money' && value !== null && typeof value === 'object') {
    return Number((value as { amount: string }).amount);
  }
  return typeof value === 'number' ? value : fold(String(value ?? ''));
}

function compare(name: string, a: unknown, b: unknown, context: Context): number {
  const left = rank(name, a, context);
  const right = rank(name, b, context);
  return left < right ? -1 : left > right ? 1 : 0;
}

function empty(value: unknown): boolean {
  return (
    value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
  );
}

function matches(record: RecordData, condition: Condition, context: Context): boolean {
  if ('all' in condition) {
    return condition.all.every((part) => matches(record, part, context));
  }
  if ('any' in condition) {
    return condition.any.some((part) => matches(record, part, context));
  }
  if ('not' in condition) {
    return !matches(record, condition.not, context);
  }
  const { field, op } = condition;
  const own = record[field];
  const wanted = resolve(condition.value, context);
  const list = (Array.isArray(wanted) ? wanted : [wanted]).map((entry) => resolve(entry, context));
  const has = (entry: unknown) => (Array.isArray(own) ? own.includes(entry) : own === entry);
  switch (op) {
    case 'eq':
      return has(wanted);
    case 'ne':
      return !has(wanted);
    case 'in':
      return list.some(has);
    case 'not_in':
      return !list.some(has);
    case 'is_empty':
      return empty(own) === (wanted !== false);
    case 'contains':
      return fold(String(own ?? '')).includes(fold(String(wanted)));
    case 'starts_with':
      return fold(String(own ?? '')).startsWith(fold(String(wanted)));
    case 'ends_with':
      return fold(String(own ?? '')).endsWith(fold(String(wanted)));
    default: {
      if (empty(own)) {
        return false;
      }
      const order = compare(field, own, wanted, context);
      return op === 'gt' ? order > 0 : op === 'gte' ? order >= 0 : op === 'lt' ? order < 0 : order <= 0;
    }
  }
}

function sorted(records: RecordData[], sort: string[], context: Context): RecordData[] {
  return records.toSorted((a, b) => {
    for (const key of sort) {
      const descending = key.startsWith('-');
      const name = descending ? key.slice(1) : key;
      const order = compare(name, a[name], b[name], context);
      if (order !== 0) {
        return descending ? -order : order;
      }
    }
    return a.id < b.id ? -1 : 1;
  });
}

function linkedIds(record: RecordData): string[] {
  return Object.values(record).filter((value): value is string => typeof value === 'string');
}

export function listPage(records: RecordData[], query: URLSearchParams, context: Context): ListPage {
  const filter = query.get('filter');
  const q = query.get('q');
  const limit = Number(query.get('limit') ?? 50);
  const start = Number(query.get('cursor') ?? 0);
  const condition = filter ? (JSON.parse(filter) as Condition) : null;
  const found = records
    .filter((record) => Boolean(record._deleted) === (query.get('deleted') === 'true'))
    .filter((record) => !condition || matches(record, condition, context))
    .filter((record) => !q || Object.values(record).some((value) => fold(String(value)).includes(fold(q))));
  const sort = (query.get('sort') ?? context.entity.list.sort.join(',')).split(',');
  const items = sorted(found, sort, context).slice(start, start + limit);
  const labels: Labels = {};
  for (const id of items.flatMap(linkedIds)) {
    const title = context.labels[id];
    if (title) {
      labels[id] = title;
    }
  }
  const end = start + items.length;
  return {
    items,
    labels,
    next_cursor: end < found.length ? String(end) : null,
    total: query.get('total') === 'true' ? Math.min(found.length, 10_000) : null,
    total_is: found.length > 10_000 ? 'at_least' : 'exact',
  };
}
