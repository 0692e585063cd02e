/** Computed and roll-up fields are drawn as the scalar type they answer. */
import type { ComputedField, FieldMeta, RollupField, ScalarType } from '@/api/types';
import type { DisplayProps } from '../contract';
import { FieldDisplay } from '../FieldDisplay';

/** The field as if it were declared with the type it returns. */
export function scalarField(field: ComputedField | RollupField): FieldMeta {
  const returns: ScalarType = field.returns ?? 'decimal';
  const { type: _type, ...rest } = field;
  return { precision: 18, scale: 6, options: [], ...rest, type: returns } as FieldMeta;
}

export function ComputedDisplay({ field, value, ...rest }: DisplayProps<'computed' | 'rollup'>) {
  return <FieldDisplay field={scalarField(field)} value={value} {...rest} />;
}
