/**
 * From a field to its entry in the registry, for code that handles fields of any type. The types of field
 * and value are tied together by the registry; here, where the type is known at run time only, they are
 * loosened in one place.
 */
import type { FieldMeta, FieldType } from '@/api/types';
import type { FieldKind, FormatContext } from './contract';
import { registry } from './registry';

export interface AnyFieldKind
  extends Omit<FieldKind<FieldType>, 'format' | 'parse' | 'equal' | 'Display' | 'Input'> {
  Display: unknown;
  Input: unknown;
  format: (value: unknown, field: FieldMeta, context: FormatContext) => string;
  parse: (text: string, field: FieldMeta) => unknown;
  equal: (a: unknown, b: unknown) => boolean;
}

/** A type this interface does not know yet (a newer server's) is shown as text. */
export function kindOf(field: FieldMeta): AnyFieldKind {
  return (registry[field.type] ?? registry.text) as unknown as AnyFieldKind;
}

/** The value as plain text, empty when there is none. */
export function formatField(field: FieldMeta, value: unknown, context: FormatContext): string {
  const kind = kindOf(field);
  return kind.isEmpty(value) ? '' : kind.format(value, field, context);
}
