/** What every control is given of the field it writes. */
import type { FieldMeta } from '@/api/types';

interface ControlSource {
  field: FieldMeta;
  id: string;
  onBlur?: () => void;
  disabled?: boolean;
  invalid?: boolean;
  describedBy?: string;
  autoFocus?: boolean;
}

export interface ControlProps {
  id: string;
  onBlur?: () => void;
  disabled?: boolean;
  autoFocus?: boolean;
  'aria-invalid'?: true;
  'aria-describedby'?: string;
  'aria-required'?: true;
}

export function controlProps(props: ControlSource): ControlProps {
  return {
    id: props.id,
    onBlur: props.onBlur,
    disabled: props.disabled,
    autoFocus: props.autoFocus,
    'aria-invalid': props.invalid || undefined,
    'aria-describedby': props.describedBy,
    'aria-required': props.field.required || undefined,
  };
}
