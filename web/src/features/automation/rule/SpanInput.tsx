/** How long: a number with its unit, or text where somebody has written it otherwise. */
import { useTranslation } from 'react-i18next';
import { Input, Select } from '@/ui/input';
import type { Control } from './Labelled';
import { readSpan, UNITS } from './model';

interface SpanInputProps extends Control {
  value: string;
  onChange: (value: string) => void;
  disabled?: boolean;
}

export function SpanInput({ value, onChange, disabled, ...control }: SpanInputProps) {
  const { t } = useTranslation();
  const read = readSpan(value);
  if (value.trim() !== '' && read === null) {
    return (
      <Input
        {...control}
        value={value}
        disabled={disabled}
        onChange={({ target }) => onChange(target.value)}
      />
    );
  }
  const unit = read?.unit ?? 'h';
  return (
    <span className="flex gap-1">
      <Input
        {...control}
        type="number"
        min={1}
        inputMode="numeric"
        className="w-24"
        disabled={disabled}
        value={read?.count ?? ''}
        onChange={({ target }) => {
          const digits = target.value.replace(/\D/g, '');
          onChange(digits === '' ? '' : `${digits}${unit}`);
        }}
      />
      <Select
        aria-label={t('automation.unit')}
        className="w-auto"
        disabled={disabled}
        value={unit}
        onChange={({ target }) => onChange(`${read?.count ?? 1}${target.value}`)}
      >
        {UNITS.map((one) => (
          <option key={one} value={one}>
            {t(`automation.units.${one}`)}
          </option>
        ))}
      </Select>
    </span>
  );
}
