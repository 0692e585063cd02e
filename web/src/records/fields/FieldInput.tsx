/** The control that writes any field, or nothing for a type that no person writes. */
import type { ComponentType } from 'react';
import type { FieldMeta } from '@/api/types';
import type { FieldSurroundings } from './contract';
import { kindOf } from './lookup';

export interface FieldInputProps extends FieldSurroundings {
  field: FieldMeta;
  value: unknown;
  onChange: (value: unknown) => void;
  id: string;
  onBlur?: () => void;
  disabled?: boolean;
  invalid?: boolean;
  describedBy?: string;
  autoFocus?: boolean;
}

export function FieldInput(props: FieldInputProps) {
  const Input = kindOf(props.field).Input as ComponentType<FieldInputProps> | null;
  return Input ? <Input {...props} /> : null;
}
