import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Color } from '@/api/types';
import { Badge } from '@/ui/badge';
import { Checkbox } from '@/ui/checkbox';
import { Checkmark } from '@/ui/checkmark';
import { Select } from '@/ui/input';
import type { InputProps } from '../contract';
import { controlProps } from './control';

export function BooleanInput(props: InputProps<'boolean'>) {
  const { t } = useTranslation();
  const { onBlur, ...control } = controlProps(props);
  const on = props.value ?? false;
  return (
    <span className="flex min-h-7 items-center gap-2 pointer-coarse:min-h-11">
      <Checkbox
        {...control}
        checked={on}
        onBlur={onBlur}
        onCheckedChange={(checked) => props.onChange(checked === true)}
      />
      <span aria-hidden className="text-muted-foreground">
        {t(on ? 'field.yes' : 'field.no')}
      </span>
    </span>
  );
}

interface OptionSelectProps {
  source: InputProps<'choice'> | InputProps<'state'>;
  options: { value: string; label: string; color?: Color | null }[];
}

/** The system's own list, with the colour of what is chosen beside it. */
function OptionSelect({ source, options }: OptionSelectProps): ReactNode {
  const { t } = useTranslation();
  const { field, value, onChange } = source;
  const chosen = options.find((option) => option.value === value);
  // Nothing is an answer only where the field may be empty.
  const none = !field.required || value === null;
  return (
    <span className="relative block">
      {chosen?.color && (
        <span
          aria-hidden
          className="pointer-events-none absolute top-1/2 left-2.5 size-2 -translate-y-1/2 rounded-full"
          style={{ backgroundColor: `hsl(var(--${chosen.color}-dot))` }}
        />
      )}
      <Select
        {...controlProps(source)}
        className={chosen?.color ? 'pl-6' : undefined}
        value={value ?? ''}
        onChange={(event) => onChange(event.target.value === '' ? null : event.target.value)}
      >
        {none && <option value="">{field.required ? t('field.choose') : '—'}</option>}
        {value !== null && !chosen && <option value={value}>{value}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </Select>
    </span>
  );
}

export function ChoiceInput(props: InputProps<'choice'>) {
  return <OptionSelect source={props} options={props.field.options} />;
}

/** `states` holds the moves that are allowed from here, and the state one is in. */
export function StateInput(props: InputProps<'state'>) {
  return <OptionSelect source={props} options={props.states} />;
}

export function ChoicesInput(props: InputProps<'choices'>) {
  const { field, value, onChange, disabled, id, describedBy, invalid } = props;
  const chosen = value ?? [];
  const toggle = (code: string) => {
    // In declared order, whatever the order of the clicks.
    const next = field.options
      .map((option) => option.value)
      .filter((option) => (option === code ? !chosen.includes(code) : chosen.includes(option)));
    onChange(next.length > 0 ? next : null);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div
      role="group"
      id={id}
      aria-label={field.label}
      aria-describedby={describedBy}
      data-invalid={invalid || undefined}
      className="flex flex-wrap gap-x-1 gap-y-1"
    >
      {field.options.map((option) => {
        const on = chosen.includes(option.value);
        return (
          <label
            key={option.value}
            className="inline-flex min-h-7 cursor-pointer items-center gap-1.5 rounded-md border px-1.5 has-checked:border-accent has-focus-visible:outline-2 has-focus-visible:outline-accent pointer-coarse:min-h-11 pointer-coarse:px-2.5"
          >
            <input
              type="checkbox"
              className="sr-only"
              checked={on}
              disabled={disabled}
              onChange={() => toggle(option.value)}
              onBlur={props.onBlur}
            />
            <Checkmark checked={on} />
            <Badge color={option.color}>{option.label}</Badge>
          </label>
        );
      })}
    </div>
  );
}
