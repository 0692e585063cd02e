/**
 * What a person has changed of a record and not yet saved. It stands beside the record, which goes on being
 * true: another person's change reaches the screen without touching what was typed.
 */
import type { FieldConflict, FieldMeta, RecordData } from '@/api/types';
import { kindOf } from '@/records/fields/lookup';

export interface EditBuffer {
  /** The version on screen at the first change. */
  base: number;
  /** What the changed fields held when they were changed. */
  before: Record<string, unknown>;
  changes: Record<string, unknown>;
}

/** Puts a value in; one that is what was there before is no change. */
export function withEdit(
  buffer: EditBuffer | null,
  record: RecordData,
  field: FieldMeta,
  value: unknown,
): EditBuffer | null {
  const { name } = field;
  const known = buffer !== null && name in buffer.before;
  const before = known ? buffer.before[name] : (record[name] ?? null);
  if (kindOf(field).equal(before, value)) {
    return withoutEdit(buffer, [name]);
  }
  return {
    base: buffer?.base ?? record.version,
    before: { ...buffer?.before, [name]: before },
    changes: { ...buffer?.changes, [name]: value },
  };
}

export function withoutEdit(buffer: EditBuffer | null, names: string[]): EditBuffer | null {
  if (buffer === null) {
    return null;
  }
  const kept = Object.keys(buffer.changes).filter((name) => !names.includes(name));
  const pick = (from: Record<string, unknown>) => Object.fromEntries(kept.map((name) => [name, from[name]]));
  return kept.length === 0
    ? null
    : { base: buffer.base, before: pick(buffer.before), changes: pick(buffer.changes) };
}

/** Takes out what has been saved, except where somebody has typed on meanwhile. */
export function withoutSaved(
  buffer: EditBuffer | null,
  sent: Record<string, unknown>,
  record: RecordData,
  fields: FieldMeta[],
): EditBuffer | null {
  const done = fields.filter(
    (field) => field.name in sent && kindOf(field).equal(buffer?.changes[field.name], sent[field.name]),
  );
  const rest = withoutEdit(
    buffer,
    done.map(({ name }) => name),
  );
  return rest === null ? null : rebased(rest, record);
}

/** The person has seen the record as it is now: what remains is changed from there. */
function rebased(buffer: EditBuffer, record: RecordData): EditBuffer {
  const names = Object.keys(buffer.changes);
  return {
    base: record.version,
    before: Object.fromEntries(names.map((name) => [name, record[name] ?? null])),
    changes: buffer.changes,
  };
}

/** The changed fields that somebody else has changed too, to something else. */
export function overlaps(
  buffer: EditBuffer | null,
  record: RecordData,
  fields: FieldMeta[],
): FieldConflict[] {
  if (buffer === null || buffer.base === record.version) {
    return [];
  }
  return fields.flatMap((field): FieldConflict[] => {
    if (!(field.name in buffer.changes)) {
      return [];
    }
    const { equal } = kindOf(field);
    const base = buffer.before[field.name] ?? null;
    const yours = buffer.changes[field.name];
    const theirs = record[field.name] ?? null;
    return equal(base, theirs) || equal(yours, theirs) ? [] : [{ field: field.name, base, yours, theirs }];
  });
}

/**
 * The version a save is based on. While nobody has touched the same fields it is the one on screen; else
 * the old one, so that the server asks and nothing is overwritten unseen.
 */
export function patchBase(buffer: EditBuffer | null, record: RecordData, fields: FieldMeta[]): number {
  return buffer === null || overlaps(buffer, record, fields).length === 0 ? record.version : buffer.base;
}

export type Side = 'yours' | 'theirs';

/** Conflicts that were decided: their side is no change any more, ours is one to the record as it is now. */
export function decided(
  buffer: EditBuffer,
  record: RecordData,
  choices: Record<string, Side>,
): EditBuffer | null {
  const given = Object.keys(choices).filter((name) => choices[name] === 'theirs');
  const rest = withoutEdit(buffer, given);
  return rest === null ? null : rebased(rest, record);
}

/** What an older version of this program, or of the entity, left in the browser. */
export function checkBuffer(stored: unknown, editable: (name: string) => boolean): EditBuffer | null {
  const buffer = stored as Partial<EditBuffer> | null;
  const sound =
    typeof buffer?.base === 'number' &&
    typeof buffer.before === 'object' &&
    buffer.before !== null &&
    typeof buffer.changes === 'object' &&
    buffer.changes !== null;
  if (!sound) {
    return null;
  }
  const whole = buffer as EditBuffer;
  return withoutEdit(
    whole,
    Object.keys(whole.changes).filter((name) => !editable(name)),
  );
}
