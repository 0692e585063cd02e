/**
 * The operators as people read them. Some choices have no operator of their own in the condition language:
 * "does not contain" is a negated one, "is not empty" the other value of `is_empty`.
 */
import type { FieldMeta, Operator } from '@/api/types';
import { kindOf } from '@/records/fields/lookup';
import { adaptValue, type Clause } from './model';

export interface OperatorChoice {
  /** Also the last part of its text's key. */
  key: string;
  op: Operator;
  not: boolean;
  /** The value that the choice itself fixes. */
  fixed?: unknown;
}

const NEGATED: Operator[] = ['contains', 'starts_with', 'ends_with'];

/** An instant equals another only by chance, so for moments only before and after are offered. */
const FOR_MOMENTS: Operator[] = ['gt', 'gte', 'lt', 'lte', 'is_empty'];

/** Before and after in the alphabet is what sorting is for. */
const FOR_TEXT: Operator[] = ['contains', 'starts_with', 'ends_with', 'eq', 'ne', 'is_empty'];

/** Of "is" and "is one of" the second says both. */
const FOR_LISTS: Operator[] = ['in', 'not_in', 'gt', 'gte', 'lt', 'lte', 'is_empty'];

function offered(field: FieldMeta): Operator[] {
  const allowed = field.operators ?? [];
  const { filter } = kindOf(field);
  if (filter === 'datetime') {
    return allowed.filter((op) => FOR_MOMENTS.includes(op));
  }
  if (filter === 'options' || filter === 'link' || filter === 'tags') {
    return allowed.filter((op) => FOR_LISTS.includes(op));
  }
  if (filter === 'text') {
    return FOR_TEXT.filter((op) => allowed.includes(op));
  }
  return allowed.filter((op) => op !== 'in' && op !== 'not_in');
}

export function operatorChoices(field: FieldMeta): OperatorChoice[] {
  return offered(field).flatMap((op): OperatorChoice[] => {
    if (op === 'is_empty') {
      return [
        { key: 'is_empty', op, not: false, fixed: true },
        { key: 'is_not_empty', op, not: false, fixed: false },
      ];
    }
    const plain = { key: op, op, not: false };
    return NEGATED.includes(op) ? [plain, { key: `not_${op}`, op, not: true }] : [plain];
  });
}

/** The choice a clause stands for; one that came from elsewhere may not be among those offered. */
export function choiceOf({ op, not, value }: Clause): OperatorChoice {
  if (op === 'is_empty') {
    const empty = (value ?? true) !== not;
    return { key: empty ? 'is_empty' : 'is_not_empty', op, not: false, fixed: empty };
  }
  return { key: not ? `not_${op}` : op, op, not };
}

export function withChoice(clause: Clause, choice: OperatorChoice): Clause {
  const value = choice.op === 'is_empty' ? choice.fixed : adaptValue(choice.op, clause.value);
  return { ...clause, op: choice.op, not: choice.not, value };
}

/** Dates are after and before, numbers greater and less: the same operators, other words. */
export function operatorTextKey(field: FieldMeta | undefined, key: string): string {
  const editor = field ? kindOf(field).filter : 'text';
  const family = editor === 'date' || editor === 'datetime' ? 'time' : 'plain';
  const worded = family === 'time' && ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'].includes(key);
  return worded ? `filter.op_time.${key}` : `filter.op.${key}`;
}
