import { describe, expect, it } from 'vitest';
import type { FieldMeta, RecordData } from '@/api/types';
import { checkBuffer, decided, type EditBuffer, overlaps, patchBase, withEdit, withoutSaved } from './buffer';

const title = { name: 'title', type: 'text', label: 'Title' } as FieldMeta;
const cost = { name: 'cost', type: 'decimal', label: 'Cost', precision: 18, scale: 2 } as FieldMeta;
const tags = { name: 'tags', type: 'tags', label: 'Tags' } as FieldMeta;
const fields = [title, cost, tags];

const record: RecordData = { id: 'r', version: 3, title: 'Printer', cost: '12.50', tags: ['a', 'b'] };
const later = (changes: Record<string, unknown>): RecordData => ({ ...record, version: 4, ...changes });

function edited(changes: Record<string, unknown>, from = record): EditBuffer {
  let buffer: EditBuffer | null = null;
  for (const field of fields.filter(({ name }) => name in changes)) {
    buffer = withEdit(buffer, from, field, changes[field.name]);
  }
  if (buffer === null) {
    throw new Error('nothing was changed');
  }
  return buffer;
}

describe('what was changed and not saved', () => {
  it('remembers the version and the values it began from', () => {
    expect(edited({ title: 'Scanner', cost: '9' })).toEqual({
      base: 3,
      before: { title: 'Printer', cost: '12.50' },
      changes: { title: 'Scanner', cost: '9' },
    });
  });

  it('forgets a field that is put back, however the same value is written', () => {
    const buffer = edited({ title: 'Scanner', cost: '9' });
    const back = withEdit(withEdit(buffer, record, cost, '12.5'), record, title, 'Printer');
    expect(back).toBeNull();
    expect(withEdit(null, record, tags, ['b', 'a'])).toBeNull();
    expect(withEdit(null, { id: 'r', version: 1 }, title, '')).toBeNull();
  });

  it('can empty a field', () => {
    expect(edited({ title: null }).changes).toEqual({ title: null });
  });
});

describe('another person’s change', () => {
  it('of another field is no conflict, and the save is based on what is on screen', () => {
    const buffer = edited({ title: 'Scanner' });
    const now = later({ cost: '99' });
    expect(overlaps(buffer, now, fields)).toEqual([]);
    expect(patchBase(buffer, now, fields)).toBe(4);
  });

  it('of the same field is one, and the save goes from the old version so that the server asks', () => {
    const buffer = edited({ title: 'Scanner', cost: '9' });
    const now = later({ title: 'Plotter' });
    expect(overlaps(buffer, now, fields)).toEqual([
      { field: 'title', base: 'Printer', yours: 'Scanner', theirs: 'Plotter' },
    ]);
    expect(patchBase(buffer, now, fields)).toBe(3);
  });

  it('to the same value is none', () => {
    expect(overlaps(edited({ cost: '9' }), later({ cost: '9.00' }), fields)).toEqual([]);
  });

  it('that was seen before one typed is none either', () => {
    const seen = later({ title: 'Plotter' });
    expect(overlaps(edited({ title: 'Scanner' }, seen), seen, fields)).toEqual([]);
  });
});

describe('a conflict that was decided', () => {
  it('keeps mine as a change of the record as it is now, and lets go of what is theirs', () => {
    const now = later({ title: 'Plotter', cost: '99' });
    const buffer = decided(edited({ title: 'Scanner', cost: '9' }), now, { title: 'yours', cost: 'theirs' });
    expect(buffer).toEqual({ base: 4, before: { title: 'Plotter' }, changes: { title: 'Scanner' } });
    expect(overlaps(buffer, now, fields)).toEqual([]);
  });

  it('leaves nothing when all is theirs', () => {
    const now = later({ title: 'Plotter' });
    expect(decided(edited({ title: 'Scanner' }), now, { title: 'theirs' })).toBeNull();
  });
});

describe('after a save', () => {
  it('nothing is left of what was sent', () => {
    const sent = { title: 'Scanner' };
    expect(withoutSaved(edited(sent), sent, later(sent), fields)).toBeNull();
  });

  it('what was typed on while it was sent remains, from the new version', () => {
    const saved = later({ title: 'Scanner' });
    const buffer = withoutSaved(edited({ title: 'Scanner X' }), { title: 'Scanner' }, saved, fields);
    expect(buffer).toEqual({ base: 4, before: { title: 'Scanner' }, changes: { title: 'Scanner X' } });
  });
});

describe('what was found in the browser', () => {
  const any = () => true;

  it('is taken when it is sound', () => {
    const buffer = edited({ title: 'Scanner' });
    expect(checkBuffer(JSON.parse(JSON.stringify(buffer)), any)).toEqual(buffer);
  });

  it('loses the fields that may no longer be written', () => {
    const buffer = edited({ title: 'Scanner', cost: '9' });
    expect(checkBuffer(buffer, (name) => name === 'cost')?.changes).toEqual({ cost: '9' });
    expect(checkBuffer(buffer, () => false)).toBeNull();
  });

  it.each([null, 7, 'text', [], {}, { base: 'x', before: {}, changes: {} }, { base: 1, changes: null }])(
    'is nothing when it is not: %j',
    (stored) => {
      expect(checkBuffer(stored, any)).toBeNull();
    },
  );
});
