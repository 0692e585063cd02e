/**
 * Values that are typed as text: numbers, durations, coordinates. While one types, the text is the person's;
 * the value follows whenever the text can be read, and the text is tidied when the field is left.
 */
import { type ComponentProps, useEffect, useRef, useState } from 'react';
import { Input } from '@/ui/input';

export type Reading<V> = { value: V | null } | { problem: string };

export interface TypedSource<V> {
  value: V | null;
  onChange: (value: V | null) => void;
  onProblem?: (text: string | null) => void;
  /** The value as text to be typed over. */
  write: (value: V) => string;
  /** Text that is not blank as a value, or why it is none. */
  read: (text: string) => Reading<V>;
  equal: (a: V | null, b: V | null) => boolean;
}

interface Typed<V> {
  text: string;
  /** The value when this was typed: another one since means that somebody else has set it. */
  value: V | null;
  readable: boolean;
}

export function useTyped<V>({ value, onChange, onProblem, write, read, equal }: TypedSource<V>) {
  const [typed, setTyped] = useState<Typed<V> | null>(null);
  const mine = typed !== null && equal(typed.value, value);
  const tell = useRef(onProblem);
  tell.current = onProblem;
  const unreadable = typed !== null && !typed.readable;
  const lost = unreadable && !mine;
  useEffect(() => {
    if (lost) {
      tell.current?.(null);
    }
  }, [lost]);
  useEffect(() => () => tell.current?.(null), []);

  const type = (text: string) => {
    const reading: Reading<V> = text.trim() === '' ? { value: null } : read(text);
    if ('problem' in reading) {
      setTyped({ text, value, readable: false });
      onProblem?.(reading.problem);
      return;
    }
    setTyped({ text, value: reading.value, readable: true });
    onProblem?.(null);
    if (!equal(reading.value, value)) {
      onChange(reading.value);
    }
  };
  const tidy = () => {
    if (!unreadable) {
      setTyped(null);
    }
  };
  const text = mine ? typed.text : value === null ? '' : write(value);
  return { text, type, tidy, unreadable: mine && unreadable };
}

type TypedInputProps<V> = TypedSource<V> &
  Omit<ComponentProps<'input'>, 'value' | 'onChange' | 'onBlur'> & { onBlur?: () => void };

export function TypedInput<V>({
  value,
  onChange,
  onProblem,
  write,
  read,
  equal,
  onBlur,
  ...props
}: TypedInputProps<V>) {
  const { text, type, tidy, unreadable } = useTyped({ value, onChange, onProblem, write, read, equal });
  return (
    <Input
      {...props}
      autoComplete="off"
      aria-invalid={unreadable || props['aria-invalid']}
      value={text}
      onChange={(event) => type(event.target.value)}
      onBlur={() => {
        tidy();
        onBlur?.();
      }}
    />
  );
}
