import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { wallClock } from '@/reader/zone';
import { Input } from '@/ui/input';
import type { InputProps } from '../contract';
import { type Moment, momentAt, zoneName } from '../wall-clock';
import { controlProps } from './control';

/** A browser gives no value for a day that is only half typed; that is no wish to empty the field. */
function isHalfTyped(input: HTMLInputElement): boolean {
  return input.value === '' && input.validity?.badInput === true;
}

export function DateInput(props: InputProps<'date'>) {
  const { t } = useTranslation();
  const { onChange, onProblem } = props;
  return (
    <Input
      {...controlProps(props)}
      type="date"
      max="9999-12-31"
      className="w-40 max-w-full tabular-nums"
      value={props.value ?? ''}
      onChange={({ target }) => {
        if (isHalfTyped(target)) {
          onProblem?.(t('field.not_date'));
        } else {
          onProblem?.(null);
          onChange(target.value === '' ? null : target.value);
        }
      }}
    />
  );
}

/**
 * The moment by the clock of the reader's zone, which is named beside it: elsewhere the same moment shows
 * another hour. Where the clock was changed, what is meant is said.
 */
export function DatetimeInput(props: InputProps<'datetime'>) {
  const { t } = useTranslation();
  const { language, timeZone } = useReader();
  const { value, onChange, onProblem, id } = props;
  const [typed, setTyped] = useState<Moment | null>(null);
  const told = typed !== null && typed.instant === value ? typed.kind : 'once';
  const { onBlur, 'aria-describedby': describedBy, ...control } = controlProps(props);
  const change = (target: HTMLInputElement) => {
    if (isHalfTyped(target)) {
      onProblem?.(t('field.not_moment'));
      return;
    }
    onProblem?.(null);
    const moment = target.value === '' ? null : momentAt(target.value.slice(0, 16), timeZone, value);
    setTyped(moment);
    onChange(moment?.instant ?? null);
  };
  return (
    <span className="flex flex-wrap items-center gap-x-2">
      <Input
        {...control}
        aria-describedby={[describedBy, `${id}-zone`].filter(Boolean).join(' ')}
        type="datetime-local"
        max="9999-12-31T23:59"
        className="w-52 max-w-full tabular-nums"
        value={value === null ? '' : wallClock(value, timeZone)}
        onChange={({ target }) => change(target)}
        onBlur={onBlur}
      />
      <span id={`${id}-zone`} className="text-xs text-muted-foreground">
        {timeZone} ({zoneName(value, timeZone, language)})
      </span>
      {told !== 'once' && (
        <span role="status" className="w-full text-xs text-muted-foreground">
          {t(`field.${told}_hour`)}
        </span>
      )}
    </span>
  );
}
