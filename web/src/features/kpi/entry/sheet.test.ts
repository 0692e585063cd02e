import { describe, expect, it } from 'vitest';
import { cellKey, changesOf, pasted, readBlock, readCell, type Sheet } from './sheet';

const sheet: Sheet = {
  frequency: 'MONTHLY',
  columns: [
    { kpi: 'a', unit: '%' },
    { kpi: 'b', unit: '€' },
  ],
  starts: ['2026-01-01', '2026-02-01', '2026-03-01'],
  stored: new Map([
    [cellKey('a', '2026-01-01'), { id: 'v1', value: '95.50', byParts: false }],
    [cellKey('b', '2026-01-01'), { id: 'v2', value: '7', byParts: true }],
  ]),
  closedBefore: null,
};

describe('a cell', () => {
  it.each([
    ['1\u202f234,56', 'fr', null, '1234.56'],
    ['1 234,56', 'fr', null, '1234.56'],
    ['12,5 %', 'fr', '%', '12.5'],
    ['1 234,56 €', 'fr', '€', '1234.56'],
    ['−3,0', 'fr', null, '-3.0'],
    ['1,234.50', 'en', null, '1234.50'],
    ['1.234,5', 'es', null, '1234.5'],
    ['0', 'pt', null, '0'],
    ['', 'fr', null, null],
  ])('%j in %s is %s', (text, language, unit, value) => {
    expect(readCell(text, language, unit)).toEqual({ value });
  });

  it.each([
    ['abc', 'not_a_number'],
    ['NaN', 'not_a_number'],
    ['1e5', 'not_a_number'],
    ['12 € 5', 'not_a_number'],
    ['%', 'not_a_number'],
    ['0,12345678901', 'too_precise'],
    ['1234567890123456789', 'too_large'],
  ])('%j is refused: %s', (text, code) => {
    expect(readCell(text, 'fr', '%')).toEqual({ fault: expect.objectContaining({ code }) });
  });
});

describe('a block of a spreadsheet', () => {
  it('has rows and columns, and no row after the last line end', () => {
    expect(readBlock('1,5\t2\r\n3\t\r\n')).toEqual([
      ['1,5', '2'],
      ['3', ''],
    ]);
    expect(readBlock('12')).toEqual([['12']]);
    expect(readBlock('"1\n2"\t"a""b"')).toEqual([['1\n2', 'a"b']]);
  });

  it('fills the cells from where it is pasted, and counts what has no place', () => {
    const { typed, beyond } = pasted(readBlock('1\t2\n3\t4'), sheet, { row: 2, column: 1 });
    expect(typed).toEqual({ [cellKey('b', '2026-03-01')]: '1' });
    expect(beyond).toBe(3);
  });
});

describe('what is written', () => {
  it('is only what differs from what is stored', () => {
    const typed = {
      [cellKey('a', '2026-01-01')]: '95,5',
      [cellKey('a', '2026-02-01')]: '96',
      [cellKey('b', '2026-02-01')]: '',
    };
    expect(changesOf(sheet, typed, 'fr').map(({ operation }) => operation)).toEqual(
      [{ op: 'create', data: { kpi_id: 'a', period_start: '2026-02-01', value: '96' } }, null].filter(
        Boolean,
      ),
    );
  });

  it('corrects and deletes by the id of the value', () => {
    const correct = changesOf(sheet, { [cellKey('a', '2026-01-01')]: '90' }, 'fr');
    expect(correct.map(({ operation }) => operation)).toEqual([
      { op: 'update', id: 'v1', data: { value: '90' } },
    ]);
    const remove = changesOf(sheet, { [cellKey('a', '2026-01-01')]: ' ' }, 'fr');
    expect(remove.map(({ operation }) => operation)).toEqual([{ op: 'delete', id: 'v1' }]);
  });

  it('leaves out what is closed, follows from parts, or is no number', () => {
    const closed = changesOf(
      { ...sheet, closedBefore: '2026-03-01' },
      { [cellKey('a', '2026-02-01')]: '1' },
      'fr',
    );
    expect(closed).toMatchObject([{ fault: { code: 'closed' }, operation: null }]);
    const open = changesOf(
      { ...sheet, closedBefore: '2026-02-28' },
      { [cellKey('a', '2026-02-01')]: '1' },
      'fr',
    );
    expect(open).toMatchObject([{ fault: null }]);
    const parts = changesOf(sheet, { [cellKey('b', '2026-01-01')]: '8' }, 'fr');
    expect(parts).toMatchObject([{ fault: { code: 'by_parts' }, operation: null }]);
    const wrong = changesOf(sheet, { [cellKey('b', '2026-03-01')]: 'x' }, 'fr');
    expect(wrong).toMatchObject([{ key: cellKey('b', '2026-03-01'), fault: { code: 'not_a_number' } }]);
  });
});
