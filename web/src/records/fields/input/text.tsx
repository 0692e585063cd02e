import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/ui/button';
import { Input, Textarea } from '@/ui/input';
import type { InputProps } from '../contract';
import { isHexColor, longHex, same } from '../values';
import { controlProps } from './control';
import { type Reading, TypedInput, useTyped } from './typed';

const itself = (text: string) => text;

/** Letters beyond the limit are counted, never cut off: what was pasted stays until the person shortens it. */
export function useTextReader(max: number | null | undefined): (text: string) => Reading<string> {
  const { t } = useTranslation();
  return (text) => {
    const over = max && text.length > max ? [...text].length - max : 0;
    return over > 0 ? { problem: t('field.too_long', { count: over }) } : { value: text };
  };
}

type LineType = 'text' | 'email' | 'phone' | 'url';

const kinds: Record<LineType, { type: string; autoCapitalize?: string; spellCheck?: boolean }> = {
  text: { type: 'text' },
  email: { type: 'email', autoCapitalize: 'none', spellCheck: false },
  phone: { type: 'tel' },
  url: { type: 'url', autoCapitalize: 'none', spellCheck: false },
};

export function LineInput(props: InputProps<LineType>) {
  const read = useTextReader(props.field.max);
  return (
    <TypedInput
      {...controlProps(props)}
      {...kinds[props.field.type]}
      value={props.value}
      onChange={props.onChange}
      onProblem={props.onProblem}
      write={itself}
      equal={same}
      read={read}
    />
  );
}

export function LongTextInput(props: InputProps<'long_text'>) {
  const read = useTextReader(props.field.max);
  const { text, type, tidy, unreadable } = useTyped({ ...props, write: itself, equal: same, read });
  const { onBlur, ...control } = controlProps(props);
  return (
    <Textarea
      {...control}
      aria-invalid={unreadable || control['aria-invalid']}
      className="field-sizing-content max-h-[60vh]"
      value={text}
      onChange={(event) => type(event.target.value)}
      onBlur={() => {
        tidy();
        onBlur?.();
      }}
    />
  );
}

export function ColorInput(props: InputProps<'color'>) {
  const { t } = useTranslation();
  const { value, onChange, disabled, field } = props;
  return (
    <span className="flex items-center gap-1.5">
      <input
        type="color"
        aria-label={t('field.pick_color', { label: field.label })}
        disabled={disabled}
        value={value !== null && isHexColor(value) ? longHex(value) : '#808080'}
        onChange={(event) => onChange(event.target.value)}
        className="control w-9 shrink-0 cursor-pointer border border-control bg-background p-0.5"
      />
      <TypedInput
        {...controlProps(props)}
        className="w-28 tabular-nums"
        placeholder="#rrggbb"
        spellCheck={false}
        value={value}
        onChange={onChange}
        onProblem={props.onProblem}
        write={itself}
        equal={same}
        read={(text): Reading<string> =>
          isHexColor(text) ? { value: longHex(text) } : { problem: t('field.not_color') }
        }
      />
      {value !== null && (
        <Button
          variant="ghost"
          size="icon"
          disabled={disabled}
          aria-label={t('field.clear', { label: field.label })}
          onClick={() => onChange(null)}
        >
          <X aria-hidden />
        </Button>
      )}
    </span>
  );
}

/** What is there is never shown: it can be replaced or removed. */
export function SecretInput(props: InputProps<'secret' | 'password'>) {
  const { t } = useTranslation();
  const { value, onChange, field } = props;
  // The server answers dots for a secret it has; anything else is what was just typed.
  const kept = value === '••••';
  return (
    <span className="flex items-center gap-1.5">
      <Input
        {...controlProps(props)}
        type="password"
        autoComplete="new-password"
        placeholder={t(kept ? 'field.secret_set' : 'field.secret_empty')}
        value={kept ? '' : (value ?? '')}
        onChange={(event) => onChange(event.target.value === '' ? null : event.target.value)}
      />
      {kept && (
        <Button
          variant="ghost"
          size="icon"
          aria-label={t('field.clear', { label: field.label })}
          onClick={() => onChange(null)}
        >
          <X aria-hidden />
        </Button>
      )}
    </span>
  );
}

export function JsonInput(props: InputProps<'json'>) {
  const { t } = useTranslation();
  const { text, type, tidy, unreadable } = useTyped<unknown>({
    value: props.value,
    onChange: props.onChange,
    onProblem: props.onProblem,
    write: (value) => JSON.stringify(value, null, 2),
    equal: (a, b) => JSON.stringify(a) === JSON.stringify(b),
    read: (typed) => {
      try {
        return { value: JSON.parse(typed) as unknown };
      } catch {
        return { problem: t('field.not_json') };
      }
    },
  });
  const { onBlur, ...control } = controlProps(props);
  return (
    <Textarea
      {...control}
      aria-invalid={unreadable || control['aria-invalid']}
      spellCheck={false}
      className="field-sizing-content max-h-[60vh] min-h-28 font-mono text-xs"
      value={text}
      onChange={(event) => type(event.target.value)}
      onBlur={() => {
        tidy();
        onBlur?.();
      }}
    />
  );
}
