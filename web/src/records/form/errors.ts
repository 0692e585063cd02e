/** A refusal of the server, sorted by where in a form it is to be read. */
import type { TFunction } from 'i18next';
import { isProblem } from '@/api/problem';
import type { FieldMeta } from '@/api/types';
import { problemText } from '@/feedback/problem-text';

export interface FormErrors {
  /** By field that the form shows. */
  fields: Record<string, string>;
  /** Inside fields of several parts: by field, then by path in it (`2.quantity`). */
  inside: Record<string, Record<string, string>>;
  /** What belongs to no field of the form. */
  other: string[];
}

export const NO_ERRORS: FormErrors = { fields: {}, inside: {}, other: [] };

export function hasErrors({ fields, inside, other }: FormErrors): boolean {
  return other.length > 0 || Object.keys(fields).length > 0 || Object.keys(inside).length > 0;
}

/** `lines[2].quantity`, `lines.2.quantity` and `/lines/2/quantity` all say the same place. */
function pathOf(name: string): [field: string, rest: string] {
  const [field = '', ...rest] = name.split(/[./[\]]+/).filter((part) => part !== '');
  return [field, rest.join('.')];
}

/** `shown` are the fields of the form; `known` also those it does not show, for their labels. */
export function formErrors(error: unknown, shown: FieldMeta[], known: FieldMeta[], t: TFunction): FormErrors {
  if (!isProblem(error) || error.fieldErrors.length === 0) {
    return { ...NO_ERRORS, other: [problemText(error, t)] };
  }
  const errors: FormErrors = { fields: {}, inside: {}, other: [] };
  for (const { field: path, message } of error.fieldErrors) {
    const [name, rest] = pathOf(path);
    const visible = shown.some((field) => field.name === name);
    if (!visible) {
      const label = known.find((field) => field.name === name)?.label ?? path;
      errors.other.push(label === '' ? message : t('form.named_error', { label, message }));
    } else if (rest !== '') {
      errors.inside[name] = { ...errors.inside[name], [rest]: message };
    } else {
      errors.fields[name] = errors.fields[name] ? `${errors.fields[name]} ${message}` : message;
    }
  }
  return errors;
}

/** The error of one field goes away when it is changed; the others stay until the next try. */
export function withoutField(errors: FormErrors, name: string): FormErrors {
  if (!(name in errors.fields) && !(name in errors.inside)) {
    return errors;
  }
  const { [name]: _own, ...fields } = errors.fields;
  const { [name]: _parts, ...inside } = errors.inside;
  return { ...errors, fields, inside };
}
