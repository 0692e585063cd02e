// A form is about to be drawn: its controls come with it, not after it.
import '@/records/fields/input';
import { CircleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { FieldMeta } from '@/api/types';
import type { FieldSurroundings } from '@/records/fields/contract';
import { FieldInput } from '@/records/fields/FieldInput';
import { cn } from '@/ui/cn';

interface FormFieldProps extends FieldSurroundings {
  field: FieldMeta;
  id: string;
  value: unknown;
  onChange: (value: unknown) => void;
  onProblem: (text: string | null) => void;
  /** What is wrong with it, from the form or from the server. */
  error?: string;
  /** Errors inside a value of several parts. */
  errors?: Record<string, string>;
  /** Asked for here, even if the field may be empty elsewhere. */
  required?: boolean;
  disabled?: boolean;
  autoFocus?: boolean;
  className?: string;
  /** Beside the label. */
  aside?: ReactNode;
  /** The label stands beside the control where there is room. */
  side?: boolean;
  /** As on a record's page, where values are read more than written. */
  quiet?: boolean;
}

/** The label beside its value, and both over each other where the column is narrow. */
export const SIDE_BY_SIDE =
  '@xs/column:grid @xs/column:grid-cols-[7.5rem_minmax(0,1fr)] @sm/column:grid-cols-[9rem_minmax(0,1fr)] @xs/column:gap-x-3';

interface FieldLabelProps {
  field: FieldMeta;
  id: string;
  required?: boolean;
  className?: string;
}

function FieldLabel({ field, id, required, className }: FieldLabelProps) {
  const { t } = useTranslation();
  return (
    <label htmlFor={id} className={className}>
      {field.label}
      {(required ?? field.required) && (
        <span aria-hidden title={t('form.required')} className="text-danger">
          {' '}
          *
        </span>
      )}
    </label>
  );
}

/** The address of a field in its form, for the summary of errors to lead to. */
export function fieldId(prefix: string, name: string): string {
  return `${prefix}-${name}`;
}

/** Leads to a field: to its control, or to the first one of a group. */
export function focusField(id: string): void {
  const element = document.getElementById(id);
  const controls = 'input, select, textarea, button, [tabindex]';
  const target = element?.matches(controls) ? element : element?.querySelector<HTMLElement>(controls);
  element?.scrollIntoView?.({ block: 'center' });
  target?.focus();
}

/** One field of a form: its name, what it is for, its control, and what is wrong with it. */
export function FormField(props: FormFieldProps) {
  const { field, id, error, className, aside, side = false, quiet = false } = props;
  const described = [field.help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className={cn('flex min-w-0 flex-col gap-1', side && SIDE_BY_SIDE, className)}>
      <div
        className={cn(
          'flex items-baseline justify-between gap-2',
          side && '@xs/column:items-start @xs/column:pt-1 pointer-coarse:@xs/column:pt-3',
        )}
      >
        <FieldLabel
          field={field}
          id={id}
          required={props.required}
          className={quiet ? 'text-muted-foreground' : 'font-medium'}
        />
        {aside}
      </div>
      <div className="flex min-w-0 flex-col gap-1">
        <FieldInput
          id={id}
          field={props.required ? { ...field, required: true } : field}
          value={props.value}
          onChange={props.onChange}
          onProblem={props.onProblem}
          errors={props.errors}
          invalid={error !== undefined}
          describedBy={described || undefined}
          disabled={props.disabled}
          autoFocus={props.autoFocus}
          labels={props.labels}
          states={props.states}
        />
        {error && (
          <p id={`${id}-error`} className="flex items-start gap-1 text-danger">
            <CircleAlert aria-hidden className="mt-0.5 size-3.5 shrink-0" />
            {error}
          </p>
        )}
        {field.help && (
          <p id={`${id}-help`} className="text-xs text-muted-foreground">
            {field.help}
          </p>
        )}
      </div>
    </div>
  );
}
