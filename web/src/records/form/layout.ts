/** Which fields a form shows, in which sections, and how wide each stands. */
import type { EntityMeta, FieldMeta } from '@/api/types';
import { kindOf } from '@/records/fields/lookup';

export interface Section {
  name: string;
  label: string;
  fields: FieldMeta[];
}

export function isWritable(field: FieldMeta): boolean {
  return field.writable !== false && !field.system && kindOf(field).Input !== null;
}

/** A record begins in the first state by itself. */
function isAskedAtFirst(field: FieldMeta): boolean {
  return isWritable(field) && field.type !== 'state';
}

/** The sections as the entity declares them; a field of no section is in no form. */
export function sectionsOf(entity: EntityMeta, wanted: (field: FieldMeta) => boolean): Section[] {
  const named = (name: string) => entity.fields.find((field) => field.name === name);
  return entity.form.sections
    .map(({ name, label, fields }) => ({
      name,
      label,
      fields: fields.flatMap((field) => named(field) ?? []).filter(wanted),
    }))
    .filter(({ fields }) => fields.length > 0);
}

/** The short form: the fields the entity names as quick, and what it cannot do without. */
export function quickFields(entity: EntityMeta): FieldMeta[] {
  const asked = entity.fields.filter(isAskedAtFirst);
  const quick = entity.form.quick.flatMap((name) => asked.find((field) => field.name === name) ?? []);
  const needed = asked.filter(
    (field) => field.required && (field.default ?? null) === null && !quick.includes(field),
  );
  return quick.length > 0 ? [...quick, ...needed] : asked.slice(0, 6);
}

/** The whole form of a new record. What the short one asks for is there too, wherever it stands. */
export function fullSections(entity: EntityMeta): Section[] {
  const sections = sectionsOf(entity, isAskedAtFirst);
  const placed = new Set(sections.flatMap(({ fields }) => fields));
  const rest = quickFields(entity).filter((field) => !placed.has(field));
  return rest.length > 0 ? [{ name: 'quick', label: '', fields: rest }, ...sections] : sections;
}

/** Long texts, tables and the title of a record take the whole width. */
export function isWide(field: FieldMeta, entity: EntityMeta): boolean {
  return kindOf(field).wide === true || field.name === entity.title_field;
}

/** What a new record begins with: what it was opened with, else the defaults. */
export function firstValues(entity: EntityMeta, initial: Record<string, unknown>): Record<string, unknown> {
  const asked = entity.fields.filter(isAskedAtFirst);
  const defaults = asked
    .filter((field) => (field.default ?? null) !== null)
    .map((field) => [field.name, field.default]);
  return { ...Object.fromEntries(defaults), ...initial };
}

/** An empty field is left out, so that the server fills in what it fills in by itself. */
export function filledOnly(entity: EntityMeta, values: Record<string, unknown>): Record<string, unknown> {
  const filled = entity.fields.filter((field) => !kindOf(field).isEmpty(values[field.name]));
  return Object.fromEntries(filled.map(({ name }) => [name, values[name]]));
}

export function missingFields(fields: FieldMeta[], values: Record<string, unknown>): FieldMeta[] {
  return fields.filter((field) => field.required && kindOf(field).isEmpty(values[field.name]));
}
