/** The control that writes any field, or nothing for a type that no person writes. */
import { type ComponentType, Suspense } from 'react';
import type { FieldMeta } from '@/api/types';
import { Skeleton } from '@/ui/skeleton';
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
  /** See `InputProps`: while there is a problem the value must not be sent. */
  onProblem?: (text: string | null) => void;
  errors?: Record<string, string>;
}

export function FieldInput(props: FieldInputProps) {
  const Input = kindOf(props.field).Input as ComponentType<FieldInputProps> | null;
  if (!Input) {
    return null;
  }
  return (
    <Suspense fallback={<Skeleton className="h-7 w-full rounded-md pointer-coarse:h-11" />}>
      <Input {...props} value={props.value ?? null} />
    </Suspense>
  );
}
