import { describe, expect, it } from 'vitest';
import type { EntityMeta, FieldMeta, Operator } from '@/api/types';
import fr from '@/locales/fr.json';
import { comparisonOf, comparisonsFor, firstTest, testOf, valueField, withComparison } from './operators';

const ALL: Operator[] = ['contains', 'eq', 'ne', 'starts_with', 'ends_with', 'in', 'not_in', 'is_empty'];
const title = { type: 'text', name: 'title', label: 'Titre', operators: ALL } as FieldMeta;
const priority = {
  type: 'choice',
  name: 'priority',
  label: 'Priorité',
  operators: ['eq', 'ne', 'in', 'not_in', 'gt', 'is_empty'],
  options: [{ value: 'critical', label: 'Critique' }],
} as FieldMeta;
const notes = { type: 'rich_text', name: 'notes', label: 'Notes', operators: ['is_empty'] } as FieldMeta;
const status = { type: 'state', name: 'status', label: 'Statut', operators: ['eq', 'in'] } as FieldMeta;
const tags = { type: 'tags', name: 'tags', label: 'Mots', operators: ['contains', 'eq', 'in'] } as FieldMeta;
const owner = { states: [{ value: 'new', label: 'Nouveau' }] } as EntityMeta;

const keys = (field: FieldMeta, changes = false) => comparisonsFor(field, changes).map(({ key }) => key);

describe('comparisons', () => {
  it('fit the type of the field, and what the server allows of it', () => {
    expect(keys(title).slice(0, 3)).toEqual(['contains', 'not_contains', 'eq']);
    expect(keys(priority)).toEqual(['eq', 'ne', 'in', 'not_in', 'is_empty', 'is_not_empty']);
    expect(keys(notes)).toEqual(['is_empty', 'is_not_empty']);
    expect(keys(tags)).toEqual(['contains', 'not_contains']);
  });

  it('ask of a change only where the field is the record’s own', () => {
    expect(keys(priority, true).slice(-3)).toEqual(['changed', 'changed_from', 'changed_to']);
    expect(keys(notes, true).slice(-1)).toEqual(['changed']);
  });

  it('are said in LiteFlow’s words', () => {
    const { op } = fr.automation;
    expect([op.contains, op.eq, op.starts_with, op.in]).toEqual([
      'Contient',
      'Est égal à',
      'Commence par',
      'Est parmi',
    ]);
    const offered = [title, priority, notes, status, tags].flatMap((field) => keys(field, true));
    expect(offered.filter((key) => !(key in op))).toEqual([]);
  });

  it('keep the value that fits, as one or as a list', () => {
    const one = { field: 'priority', op: 'eq', value: 'critical' } as const;
    const many = comparisonOf({ ...one, op: 'in' }, false);
    expect(withComparison(one, many)).toEqual({ field: 'priority', op: 'in', value: ['critical'] });
    expect(withComparison(one, comparisonOf({ ...one, op: 'changed' }, false))).toEqual({
      field: 'priority',
      op: 'changed',
    });
    const empty = { field: 'priority', op: 'is_empty', value: false } as const;
    expect(comparisonOf(empty, false).key).toBe('is_not_empty');
    expect(withComparison(empty, comparisonOf(one, false))).toEqual({ field: 'priority', op: 'eq' });
  });

  it('carry their negation around the test', () => {
    const not = { not: { field: 'title', op: 'contains', value: 'x' } } as const;
    const read = testOf(not);
    expect(read).toEqual({ test: not.not, not: true });
    expect(read && comparisonOf(read.test, read.not).key).toBe('not_contains');
    expect(read && withComparison(read.test, comparisonOf(read.test, true))).toEqual(not);
    expect(testOf({ all: [] })).toBeNull();
  });

  it('begin with the one people mean most often', () => {
    expect(firstTest('title', title)).toEqual({ field: 'title', op: 'contains' });
    expect(firstTest('requester.notes', notes)).toEqual({
      field: 'requester.notes',
      op: 'is_empty',
      value: true,
    });
  });
});

describe('the value of a comparison', () => {
  it('is asked for as the field would be, as many where many are meant', () => {
    expect(valueField(title, 'contains', owner)?.type).toBe('text');
    expect(valueField(title, 'in', owner)?.type).toBe('tags');
    expect(valueField(priority, 'eq', owner)?.type).toBe('choice');
    expect(valueField(status, 'in', owner)).toMatchObject({ type: 'choices', options: owner.states });
    expect(valueField(priority, 'changed', owner)).toBeNull();
  });
});
