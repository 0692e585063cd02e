import type { TFunction } from 'i18next';
import { Crosshair } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { formatDecimal, formatDuration, formatInteger } from '@/reader/format';
import { Button } from '@/ui/button';
import { Input } from '@/ui/input';
import type { GeoPoint, InputProps, Money } from '../contract';
import { type DecimalFault, decimalFault, decimalForTyping, readDecimal } from '../decimals';
import { durationForTyping, parseDuration, parseInteger, same, sameDecimal } from '../values';
import { controlProps } from './control';
import { type Reading, TypedInput } from './typed';

interface Bounds {
  min?: number | string | null;
  max?: number | string | null;
}

/** A number outside its bounds in words; `write` says the bound as the field itself is written. */
function outOfBounds(value: number, { min, max }: Bounds, write: (n: number) => string, t: TFunction) {
  if (min !== null && min !== undefined && value < Number(min)) {
    return t('field.at_least', { bound: write(Number(min)) });
  }
  if (max !== null && max !== undefined && value > Number(max)) {
    return t('field.at_most', { bound: write(Number(max)) });
  }
  return null;
}

function within(value: number, bounds: Bounds, write: (n: number) => string, t: TFunction): Reading<number> {
  const problem = outOfBounds(value, bounds, write, t);
  return problem === null ? { value } : { problem };
}

export function IntegerInput(props: InputProps<'integer'>) {
  const { t } = useTranslation();
  const { language } = useReader();
  return (
    <TypedInput
      {...controlProps(props)}
      inputMode={Number(props.field.min ?? -1) >= 0 ? 'numeric' : 'text'}
      value={props.value}
      onChange={props.onChange}
      onProblem={props.onProblem}
      write={String}
      equal={same}
      read={(text) => {
        // "1 200" and "1,200" are read as "1 200,0" would be; what is left must be whole.
        const value = parseInteger(readDecimal(text, language) ?? text);
        return value === undefined
          ? { problem: t('field.not_integer') }
          : within(value, props.field, (bound) => formatInteger(bound, language), t);
      }}
    />
  );
}

function faultText(fault: DecimalFault, language: string, t: TFunction): string {
  switch (fault.fault) {
    case 'too_precise':
      return t('field.too_precise', { count: fault.count });
    case 'too_large':
      return t('field.too_many_digits', { count: fault.count });
    case 'too_small_for':
      return t('field.at_least', { bound: formatDecimal(fault.bound, language) });
    case 'too_large_for':
      return t('field.at_most', { bound: formatDecimal(fault.bound, language) });
  }
}

type Limits = Parameters<typeof decimalFault>[1];

function useDecimalReader(limits: Limits): (text: string) => Reading<string> {
  const { t } = useTranslation();
  const { language } = useReader();
  return (text) => {
    const value = readDecimal(text, language);
    if (value === undefined) {
      return { problem: t('field.not_number') };
    }
    const fault = decimalFault(value, limits);
    return fault === null ? { value } : { problem: faultText(fault, language, t) };
  };
}

export function DecimalInput(props: InputProps<'decimal'>) {
  const { language } = useReader();
  const read = useDecimalReader(props.field);
  const { unit } = props.field;
  const input = (
    <TypedInput
      {...controlProps(props)}
      inputMode="decimal"
      className="tabular-nums"
      value={props.value}
      onChange={props.onChange}
      onProblem={props.onProblem}
      write={(value) => decimalForTyping(value, language)}
      equal={sameDecimal}
      read={read}
    />
  );
  return unit ? (
    <span className="flex items-center gap-2">
      {input}
      <span className="shrink-0 text-muted-foreground">{unit}</span>
    </span>
  ) : (
    input
  );
}

/** The currency may be written over, for an invoice in another one; it counts only beside an amount. */
export function MoneyInput(props: InputProps<'money'>) {
  const { t } = useTranslation();
  const { language } = useReader();
  const { field, value, onChange } = props;
  const [chosen, setChosen] = useState<string | null>(null);
  const currency = chosen ?? value?.currency ?? field.currency;
  const read = useDecimalReader(field);
  const change = (amount: string | null, code: string): Money | null =>
    amount === null ? null : { amount, currency: code };
  return (
    <span className="flex gap-1.5">
      <TypedInput
        {...controlProps(props)}
        inputMode="decimal"
        className="min-w-0 flex-1 tabular-nums"
        value={value?.amount ?? null}
        onChange={(amount) => onChange(change(amount, currency))}
        onProblem={props.onProblem}
        write={(amount) => decimalForTyping(amount, language)}
        equal={sameDecimal}
        read={read}
      />
      <Input
        aria-label={t('field.currency')}
        className="w-16 shrink-0 text-center uppercase"
        maxLength={3}
        disabled={props.disabled}
        value={currency}
        onChange={(event) => {
          const code = event.target.value.toUpperCase().replace(/[^A-Z]/g, '');
          setChosen(code);
          if (value !== null && code.length === 3) {
            onChange({ ...value, currency: code });
          }
        }}
        onBlur={() => setChosen((code) => (code?.length === 3 ? code : null))}
      />
    </span>
  );
}

export function DurationInput(props: InputProps<'duration'>) {
  const { t } = useTranslation();
  const { language } = useReader();
  return (
    <TypedInput
      {...controlProps(props)}
      placeholder={t('field.duration_example')}
      value={props.value}
      onChange={props.onChange}
      onProblem={props.onProblem}
      write={durationForTyping}
      equal={same}
      read={(text) => {
        const value = parseDuration(text);
        return value === undefined
          ? { problem: t('field.not_duration') }
          : within(value, props.field, (bound) => formatDuration(bound, language), t);
      }}
    />
  );
}

const AXES = [
  { axis: 'lat', limit: 90 },
  { axis: 'lon', limit: 180 },
] as const;

type HalfPoint = { [A in keyof GeoPoint]: number | null };

/** Two coordinates make a point; one alone is none yet. */
export function GeoInput(props: InputProps<'geo'>) {
  const { t } = useTranslation();
  const { language } = useReader();
  const { value, onChange, onProblem } = props;
  const [half, setHalf] = useState<HalfPoint | null>(null);
  const [denied, setDenied] = useState(false);
  const point: HalfPoint = half ?? value ?? { lat: null, lon: null };
  const change = (next: HalfPoint) => {
    const { lat, lon } = next;
    if (lat !== null && lon !== null) {
      setHalf(null);
      onProblem?.(null);
      onChange({ lat, lon });
    } else if (lat === null && lon === null) {
      setHalf(null);
      onProblem?.(null);
      onChange(null);
    } else {
      setHalf(next);
      onProblem?.(t('field.half_point'));
    }
  };
  const locate = () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        setDenied(false);
        change({ lat: Number(coords.latitude.toFixed(6)), lon: Number(coords.longitude.toFixed(6)) });
      },
      () => setDenied(true),
    );
  };
  const { id, onBlur, ...control } = controlProps(props);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div role="group" aria-label={props.field.label} id={id} className="flex flex-wrap items-center gap-1.5">
      {AXES.map(({ axis, limit }) => (
        <TypedInput
          key={axis}
          {...control}
          autoFocus={control.autoFocus && axis === 'lat'}
          onBlur={onBlur}
          aria-label={t(`field.${axis}`)}
          placeholder={t(`field.${axis}`)}
          inputMode="text"
          className="min-w-24 flex-1 tabular-nums"
          value={point[axis]}
          onChange={(part) => change({ ...point, [axis]: part })}
          onProblem={onProblem}
          write={(part) => decimalForTyping(String(part), language)}
          equal={same}
          read={(text) => {
            const part = Number(readDecimal(text, language));
            return Number.isNaN(part) || Math.abs(part) > limit
              ? { problem: t(`field.not_${axis}`) }
              : { value: part };
          }}
        />
      ))}
      {'geolocation' in navigator && window.isSecureContext && (
        <Button variant="outline" size="icon" aria-label={t('field.locate')} onClick={locate}>
          <Crosshair aria-hidden />
        </Button>
      )}
      {denied && (
        <p role="alert" className="w-full text-danger">
          {t('field.not_located')}
        </p>
      )}
    </div>
  );
}
