import { describe, expect, it } from 'vitest';
import type { Condition } from '@/api/types';
import { entities } from '@/test/fake/meta';
import {
  adaptValue,
  addPart,
  conditionFrom,
  firstOperator,
  groupFrom,
  isComplete,
  newClause,
  newGroup,
  removePart,
} from './model';
import { choiceOf, operatorChoices, withChoice } from './operators';

const [ticket] = entities('en');
if (!ticket) {
  throw new Error('the fake server has tickets');
}
const field = (name: string) => {
  const found = ticket.fields.find((candidate) => candidate.name === name);
  if (!found) {
    throw new Error(`no field ${name}`);
  }
  return found;
};

const open: Condition = { field: 'status', op: 'not_in', value: ['done', 'closed'] };
const mine: Condition = { field: 'assignee', op: 'eq', value: '@me' };

describe('a filter', () => {
  it.each<[string, Condition | null]>([
    ['nothing', null],
    ['one clause', mine],
    ['several clauses', { all: [mine, open] }],
    ['either of two', { any: [mine, open] }],
    [
      'a group in a group',
      { all: [mine, { any: [open, { field: 'title', op: 'contains', value: 'vpn' }] }] },
    ],
    ['a negated clause', { not: mine }],
    ['a negated group', { not: { any: [mine, open] } }],
  ])('made of %s means the same after it was shown', (_name, condition) => {
    expect(conditionFrom(groupFrom(condition))).toEqual(condition);
  });

  it('drops what says nothing: groups of one, twice negated, without parts', () => {
    expect(conditionFrom(groupFrom({ all: [mine] }))).toEqual(mine);
    expect(conditionFrom(groupFrom({ not: { not: mine } }))).toEqual(mine);
    expect(conditionFrom(newGroup('all', [newGroup('any')]))).toBeNull();
  });

  it('takes a clause into the group it is given to', () => {
    const inner = newGroup('any', [newClause('priority', 'in', ['high'])]);
    const root = addPart(newGroup('all', [inner]), inner.key, newClause('priority', 'in', ['critical']));
    expect(conditionFrom(root)).toEqual({
      any: [
        { field: 'priority', op: 'in', value: ['high'] },
        { field: 'priority', op: 'in', value: ['critical'] },
      ],
    });
  });

  it('loses a group with the last clause of it', () => {
    const clause = newClause('priority', 'in', ['high']);
    const root = newGroup('all', [newClause('title', 'contains', 'a'), newGroup('any', [clause])]);
    expect(removePart(root, clause.key).parts).toHaveLength(1);
  });
});

describe('a clause', () => {
  it('is complete when it has a value, and always for "is empty"', () => {
    expect(isComplete({ op: 'in', value: [] })).toBe(false);
    expect(isComplete({ op: 'contains', value: '' })).toBe(false);
    expect(isComplete({ op: 'eq', value: false })).toBe(true);
    expect(isComplete({ op: 'is_empty', value: undefined })).toBe(true);
  });

  it('keeps its value when another operator takes it in another shape', () => {
    expect(adaptValue('eq', ['high', 'low'])).toBe('high');
    expect(adaptValue('in', 'high')).toEqual(['high']);
    expect(adaptValue('in', '@my_groups')).toBe('@my_groups');
    expect(adaptValue('eq', true)).toBeUndefined();
  });

  it('starts with the operator people mean most often', () => {
    expect(
      ['title', 'priority', 'assignee', 'due_at', 'cost'].map((name) => firstOperator(field(name))),
    ).toEqual(['contains', 'in', 'in', 'gte', 'gte']);
  });
});

describe('the operators offered', () => {
  it('include negations that the language writes with "not"', () => {
    const keys = operatorChoices(field('title')).map(({ key }) => key);
    expect(keys).toContain('not_contains');
    expect(keys).toContain('is_not_empty');
    const clause = newClause('title', 'contains', 'vpn');
    const negated = operatorChoices(field('title')).find(({ key }) => key === 'not_contains');
    expect(negated && conditionFrom(newGroup('all', [withChoice(clause, negated)]))).toEqual({
      not: { field: 'title', op: 'contains', value: 'vpn' },
    });
  });

  it('leave out equality of moments, which only chance fulfils', () => {
    expect(operatorChoices(field('due_at')).map(({ op }) => op)).not.toContain('eq');
  });

  it('name "is not empty" for the other value of is_empty', () => {
    expect(choiceOf(newClause('due_at', 'is_empty', false)).key).toBe('is_not_empty');
    expect(choiceOf({ ...newClause('due_at', 'is_empty', false), not: true }).key).toBe('is_empty');
  });
});
