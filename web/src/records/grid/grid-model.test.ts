import { describe, expect, it } from 'vitest';
import type { RecordData } from '@/api/types';
import { deleteOperations, editOperations, reportOf } from './bulk';
import { moved } from './keys';
import { allState, extendTo, keepOnly, NOTHING, type Selection, selectAll, toggle } from './selection';

const order = ['a', 'b', 'c', 'd', 'e'];
const ids = (selection: Selection) => [...selection.ids].sort();

describe('a selection', () => {
  it('reaches from where it started to where Shift ends it, in either direction', () => {
    const from = toggle(NOTHING, 'c');
    expect(ids(extendTo(from, 'e', order))).toEqual(['c', 'd', 'e']);
    expect(ids(extendTo(from, 'a', order))).toEqual(['a', 'b', 'c']);
  });

  it('keeps what was selected before it was extended', () => {
    expect(ids(extendTo(toggle(toggle(NOTHING, 'a'), 'd'), 'e', order))).toEqual(['a', 'd', 'e']);
  });

  it('loses the rows that left the list', () => {
    expect(ids(keepOnly(selectAll(order), new Set(['b', 'd'])))).toEqual(['b', 'd']);
  });

  it('says whether all, some or none are in it', () => {
    expect(allState(NOTHING, order)).toBe(false);
    expect(allState(toggle(NOTHING, 'a'), order)).toBe('indeterminate');
    expect(allState(selectAll(order), order)).toBe(true);
    expect(allState(selectAll(order), [])).toBe(false);
  });
});

describe('keys', () => {
  const bounds = { rows: 100, columns: 5, page: 20 };
  const from = { row: 10, column: 2 };
  it.each([
    ['ArrowDown', false, { row: 11, column: 2 }],
    ['ArrowUp', false, { row: 9, column: 2 }],
    ['ArrowLeft', false, { row: 10, column: 1 }],
    ['ArrowRight', false, { row: 10, column: 3 }],
    ['Home', false, { row: 10, column: 0 }],
    ['End', false, { row: 10, column: 4 }],
    ['Home', true, { row: 0, column: 0 }],
    ['End', true, { row: 99, column: 4 }],
    ['PageDown', false, { row: 30, column: 2 }],
    ['PageUp', false, { row: 0, column: 2 }],
  ])('%s (command: %s)', (key, command, cell) => {
    expect(moved(from, { key, command }, bounds)).toEqual(cell);
  });

  it('stop at the header above and at the last row below', () => {
    expect(moved({ row: 0, column: 0 }, { key: 'ArrowUp', command: false }, bounds)).toEqual({
      row: -1,
      column: 0,
    });
    expect(moved({ row: -1, column: 0 }, { key: 'ArrowUp', command: false }, bounds)).toEqual({
      row: -1,
      column: 0,
    });
    expect(moved({ row: 99, column: 4 }, { key: 'PageDown', command: false }, bounds)).toEqual({
      row: 99,
      column: 4,
    });
  });

  it('that do not move lead nowhere', () => {
    expect(moved(from, { key: 'x', command: false }, bounds)).toBeNull();
  });
});

describe('a bulk edit', () => {
  const records: RecordData[] = [
    { id: 'a', version: 3 },
    { id: 'b', version: 7 },
  ];

  it('sends the version each record was read at', () => {
    expect(editOperations(records, 'priority', 'high')).toEqual([
      { op: 'update', id: 'a', version: 3, data: { priority: 'high' } },
      { op: 'update', id: 'b', version: 7, data: { priority: 'high' } },
    ]);
  });

  it('counts an operation without an answer as failed', () => {
    const operations = editOperations(records, 'priority', 'low');
    const report = reportOf(records, operations, [{ status: 200, record: { id: 'a', version: 4 } }]);
    expect(report.done).toEqual([{ id: 'a', version: 4 }]);
    expect(report.failed.map(({ record }) => record.id)).toEqual(['b']);
  });

  it('takes a part that its parent took along for deleted, but for an edit it is missing', () => {
    const gone = { status: 404, problem: { type: '/problems/not_found', title: 'Not found', status: 404 } };
    const results = [{ status: 204 }, gone];
    expect(reportOf(records, deleteOperations(records), results).failed).toEqual([]);
    expect(reportOf(records, editOperations(records, 'priority', 'low'), results).failed).toHaveLength(1);
  });
});
