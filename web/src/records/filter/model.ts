/**
 * A filter as a person builds it: groups of clauses, joined by "and" or "or". It is the condition language
 * with one shape for each meaning, and an identity for each part so that the interface can hold on to it.
 */
import type { Condition, FieldMeta, Operator } from '@/api/types';

export interface Clause {
  kind: 'clause';
  key: string;
  field: string;
  op: Operator;
  value: unknown;
  not: boolean;
}

export interface Group {
  kind: 'group';
  key: string;
  mode: 'all' | 'any';
  not: boolean;
  parts: Part[];
}

export type Part = Clause | Group;

let lastKey = 0;

/** Not an id of anything stored: it only tells the parts of one filter on one screen apart. */
function newKey(): string {
  lastKey += 1;
  return `part-${lastKey}`;
}

export function newClause(field: string, op: Operator, value: unknown): Clause {
  return { kind: 'clause', key: newKey(), field, op, value, not: false };
}

export function newGroup(mode: 'all' | 'any', parts: Part[] = []): Group {
  return { kind: 'group', key: newKey(), mode, not: false, parts };
}

function partFrom(condition: Condition): Part {
  if ('all' in condition) {
    return newGroup('all', condition.all.map(partFrom));
  }
  if ('any' in condition) {
    return newGroup('any', condition.any.map(partFrom));
  }
  if ('not' in condition) {
    const inner = partFrom(condition.not);
    return { ...inner, not: !inner.not };
  }
  return newClause(condition.field, condition.op, condition.value);
}

/** The whole filter is always a group, so that there is always a place for one clause more. */
export function groupFrom(condition: Condition | null): Group {
  if (condition === null) {
    return newGroup('all');
  }
  const part = partFrom(condition);
  return part.kind === 'group' && !part.not ? part : newGroup('all', [part]);
}

function conditionOf(part: Part): Condition | null {
  const condition = part.kind === 'clause' ? clauseCondition(part) : groupCondition(part);
  return condition !== null && part.not ? { not: condition } : condition;
}

function clauseCondition({ field, op, value }: Clause): Condition {
  return value === undefined ? { field, op } : { field, op, value };
}

function groupCondition({ mode, parts }: Group): Condition | null {
  const conditions = parts.map(conditionOf).filter((condition) => condition !== null);
  if (conditions.length === 0) {
    return null;
  }
  return mode === 'all' ? { all: conditions } : { any: conditions };
}

/** Null when nothing is asked: an empty filter is no filter. */
export function conditionFrom(group: Group): Condition | null {
  const [only, ...others] = group.parts;
  if (only && others.length === 0 && !group.not) {
    return conditionOf(only);
  }
  return conditionOf(group);
}

export function replacePart(group: Group, key: string, change: (part: Part) => Part | null): Group {
  const parts = group.parts.flatMap((part): Part[] => {
    if (part.key === key) {
      const next = change(part);
      return next === null ? [] : [next];
    }
    return [part.kind === 'group' ? replacePart(part, key, change) : part];
  });
  return { ...group, parts };
}

/** A group that lost its last clause goes with it. */
export function removePart(group: Group, key: string): Group {
  const parts = group.parts
    .filter((part) => part.key !== key)
    .map((part) => (part.kind === 'group' ? removePart(part, key) : part))
    .filter((part) => part.kind === 'clause' || part.parts.length > 0);
  return { ...group, parts };
}

export function addPart(group: Group, into: string, part: Part): Group {
  if (group.key === into) {
    return { ...group, parts: [...group.parts, part] };
  }
  return {
    ...group,
    parts: group.parts.map((inner) => (inner.kind === 'group' ? addPart(inner, into, part) : inner)),
  };
}

/** Operators whose value is a list. */
export function takesMany(op: Operator): boolean {
  return op === 'in' || op === 'not_in';
}

/** The value that stays when the operator changes: one of many, or many with the one. */
export function adaptValue(op: Operator, value: unknown): unknown {
  if (op === 'is_empty') {
    return true;
  }
  if (typeof value === 'boolean') {
    return undefined;
  }
  // `@my_groups` stands for a list by itself.
  if (takesMany(op)) {
    return value === undefined || Array.isArray(value) || isVariable(value) ? value : [value];
  }
  return Array.isArray(value) ? value[0] : value;
}

export function isVariable(value: unknown): value is string {
  return typeof value === 'string' && /^@\w+$/.test(value);
}

/** A clause that says something: an unfinished one is not sent. */
export function isComplete({ op, value }: Pick<Clause, 'op' | 'value'>): boolean {
  if (op === 'is_empty') {
    return true;
  }
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== '';
}

/** The operator a new clause starts with: the one people mean most often for the type. */
export function firstOperator(field: FieldMeta): Operator {
  const allowed = field.operators ?? [];
  const wanted: Operator[] =
    field.type === 'choice' || field.type === 'state' || field.type === 'choices' || field.type === 'tags'
      ? ['in']
      : field.type === 'link' || field.type === 'links'
        ? ['in']
        : field.type === 'date' || field.type === 'datetime'
          ? ['gte']
          : field.type === 'boolean'
            ? ['eq']
            : ['contains', 'gte', 'eq'];
  return wanted.find((op) => allowed.includes(op)) ?? allowed[0] ?? 'eq';
}

export function isFilterable(field: FieldMeta): boolean {
  return (field.operators?.length ?? 0) > 0;
}
