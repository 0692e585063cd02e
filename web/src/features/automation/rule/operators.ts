/** The comparisons of a rule, in LiteFlow's words, by what fits the type of a field. */
import type { Condition, EntityMeta, FieldMeta, Operator } from '@/api/types';
import type { FilterEditor } from '@/records/fields/contract';
import { kindOf } from '@/records/fields/lookup';
import { takesMany } from '@/records/filter/model';

export interface Comparison {
  /** Also the last part of its text's key. */
  key: string;
  op: Operator;
  not: boolean;
  /** The value that the comparison itself fixes. */
  fixed?: boolean;
}

export interface Test {
  field: string;
  op: Operator;
  value?: unknown;
}

const EMPTY = ['is_empty', 'is_not_empty'];
const ORDER = ['gt', 'gte', 'lt', 'lte'];

const BY_KIND: Record<FilterEditor, string[]> = {
  text: ['contains', 'not_contains', 'eq', 'ne', 'starts_with', 'ends_with', 'in', 'not_in', ...EMPTY],
  options: ['eq', 'ne', 'in', 'not_in', ...EMPTY],
  link: ['eq', 'ne', 'in', 'not_in', ...EMPTY],
  tags: ['contains', 'not_contains', ...EMPTY],
  boolean: ['eq', ...EMPTY],
  number: ['eq', 'ne', ...ORDER, ...EMPTY],
  duration: ['eq', 'ne', ...ORDER, ...EMPTY],
  date: ['eq', 'ne', ...ORDER, ...EMPTY],
  datetime: [...ORDER, ...EMPTY],
  none: EMPTY,
};

/** Several values in one field: it contains one of them. */
const SETS = ['links', 'choices', 'tags'];

function comparison(key: string): Comparison {
  switch (key) {
    case 'is_empty':
      return { key, op: 'is_empty', not: false, fixed: true };
    case 'is_not_empty':
      return { key, op: 'is_empty', not: false, fixed: false };
    case 'not_contains':
    case 'not_starts_with':
    case 'not_ends_with':
      return { key, op: key.slice(4) as Operator, not: true };
    default:
      return { key, op: key as Operator, not: false };
  }
}

/** `changes`: the field is the record's own, so a change can be asked of it. */
export function comparisonsFor(field: FieldMeta, changes: boolean): Comparison[] {
  const allowed: string[] = field.operators ?? [];
  const wanted = SETS.includes(field.type) ? BY_KIND.tags : BY_KIND[kindOf(field).filter];
  const offered = wanted.map(comparison).filter(({ op }) => allowed.includes(op));
  const ofChange =
    !changes || field.type === 'rollup' || field.type === 'computed'
      ? []
      : SETS.includes(field.type) || !allowed.includes('eq')
        ? ['changed']
        : ['changed', 'changed_from', 'changed_to'];
  return [...offered, ...ofChange.map(comparison)];
}

export function comparisonOf(test: Test, not: boolean): Comparison {
  if (test.op === 'is_empty') {
    return comparison((test.value ?? true) !== not ? 'is_empty' : 'is_not_empty');
  }
  return not ? { key: `not_${test.op}`, op: test.op, not } : comparison(test.op);
}

/** A test, with the negation around it where there is one; null for a group. */
export function testOf(condition: Condition): { test: Test; not: boolean } | null {
  if ('field' in condition) {
    return { test: condition, not: false };
  }
  if ('not' in condition && 'field' in condition.not) {
    return { test: condition.not, not: true };
  }
  return null;
}

export function conditionOf(test: Test, not: boolean): Condition {
  return not ? { not: test } : test;
}

export function hasValue(op: Operator): boolean {
  return op !== 'is_empty' && op !== 'changed';
}

/** The value that stays when the comparison changes. */
export function withComparison(test: Test, next: Comparison): Condition {
  const { value: _old, ...rest } = test;
  const plain = { ...rest, op: next.op };
  if (next.fixed !== undefined) {
    return { ...plain, value: next.fixed };
  }
  if (!hasValue(next.op)) {
    return plain;
  }
  const old = typeof test.value === 'boolean' && !hasValue(test.op) ? undefined : test.value;
  const value = takesMany(next.op)
    ? old === undefined || Array.isArray(old)
      ? old
      : [old]
    : Array.isArray(old)
      ? old[0]
      : old;
  return conditionOf(value === undefined ? plain : { ...plain, value }, next.not);
}

/** The field as its value is entered for a comparison: one of its values, many, or a part of a text. */
export function valueField(field: FieldMeta, op: Operator, owner: EntityMeta): FieldMeta | null {
  if (!hasValue(op)) {
    return null;
  }
  const base = { name: field.name, label: field.label };
  const many = takesMany(op);
  switch (field.type) {
    case 'choice':
    case 'choices':
      return { ...base, type: many ? 'choices' : 'choice', options: field.options };
    case 'state':
      return { ...base, type: many ? 'choices' : 'choice', options: owner.states };
    case 'link':
    case 'links': {
      const { to, to_collection, where } = field;
      return { ...base, type: many ? 'links' : 'link', to, to_collection, where };
    }
    case 'computed':
    case 'rollup':
      return kindOf(field).filter === 'number' || field.returns === 'integer'
        ? { ...base, type: 'decimal', precision: 18, scale: 6 }
        : { ...base, type: 'text' };
    case 'integer':
    case 'decimal':
    case 'boolean':
    case 'date':
    case 'datetime':
    case 'duration':
    case 'money':
      return { ...field, required: false, writable: true };
    default:
      return many ? { ...base, type: 'tags' } : { ...base, type: 'text' };
  }
}

/** The first comparison people mean for a field. */
export function firstTest(path: string, field: FieldMeta): Condition {
  const [first] = comparisonsFor(field, !path.includes('.'));
  const op = first?.op ?? 'is_empty';
  return first?.fixed === undefined ? { field: path, op } : { field: path, op, value: first.fixed };
}

export function comparisonTextKey(field: FieldMeta | undefined, key: string): string {
  const kind = field ? kindOf(field).filter : 'text';
  const timed = (kind === 'date' || kind === 'datetime') && ['eq', 'ne', ...ORDER].includes(key);
  return timed ? `automation.op_time.${key}` : `automation.op.${key}`;
}
