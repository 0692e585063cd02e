/** Plain controls, one for each way of entering a value. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Checkbox } from '@/ui/checkbox';
import { Input, Select, Textarea } from '@/ui/input';
import type { InputProps } from './contract';
import { parseInteger } from './values';

type Shared = Pick<InputProps<'text'>, 'id' | 'onBlur' | 'disabled' | 'autoFocus'> & {
  'aria-invalid'?: boolean;
  'aria-describedby'?: string;
};

function shared(props: Omit<InputProps<'text'>, 'field' | 'value' | 'onChange'>): Shared {
  return {
    id: props.id,
    onBlur: props.onBlur,
    disabled: props.disabled,
    autoFocus: props.autoFocus,
    'aria-invalid': props.invalid,
    'aria-describedby': props.describedBy,
  };
}

type LineType =
  | 'text'
  | 'email'
  | 'phone'
  | 'url'
  | 'color'
  | 'decimal'
  | 'secret'
  | 'password'
  | 'link'
  | 'file'
  | 'image';

const inputTypes: Partial<Record<LineType | 'date', string>> = {
  email: 'email',
  phone: 'tel',
  url: 'url',
  color: 'color',
  secret: 'password',
  password: 'password',
  date: 'date',
};

export function LineInput(props: InputProps<LineType | 'date'>) {
  return (
    <Input
      {...shared(props)}
      type={inputTypes[props.field.type] ?? 'text'}
      inputMode={props.field.type === 'decimal' ? 'decimal' : undefined}
      value={props.value ?? ''}
      onChange={(event) => props.onChange(event.target.value === '' ? null : event.target.value)}
    />
  );
}

export function LongTextInput(props: InputProps<'long_text' | 'rich_text'>) {
  return (
    <Textarea
      {...shared(props)}
      value={props.value ?? ''}
      onChange={(event) => props.onChange(event.target.value === '' ? null : event.target.value)}
    />
  );
}

export function IntegerInput(props: InputProps<'integer' | 'duration'>) {
  return (
    <Input
      {...shared(props)}
      inputMode="numeric"
      value={props.value ?? ''}
      onChange={(event) => props.onChange(parseInteger(event.target.value) ?? null)}
    />
  );
}

export function BooleanInput(props: InputProps<'boolean'>) {
  const { onBlur: _onBlur, ...rest } = shared(props);
  return (
    <Checkbox
      {...rest}
      checked={props.value ?? false}
      onCheckedChange={(checked) => props.onChange(checked === true)}
    />
  );
}

function OptionSelect({
  children,
  ...props
}: Shared & { value: string; onPick: (v: string | null) => void; children: ReactNode }) {
  const { t } = useTranslation();
  const { onPick, ...rest } = props;
  return (
    <Select {...rest} onChange={(event) => onPick(event.target.value === '' ? null : event.target.value)}>
      <option value="">{t('field.choose')}</option>
      {children}
    </Select>
  );
}

export function ChoiceInput(props: InputProps<'choice'>) {
  return (
    <OptionSelect {...shared(props)} value={props.value ?? ''} onPick={props.onChange}>
      {props.field.options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </OptionSelect>
  );
}

export function StateInput(props: InputProps<'state'>) {
  return (
    <OptionSelect {...shared(props)} value={props.value ?? ''} onPick={props.onChange}>
      {props.states.map((state) => (
        <option key={state.value} value={state.value}>
          {state.label}
        </option>
      ))}
    </OptionSelect>
  );
}
