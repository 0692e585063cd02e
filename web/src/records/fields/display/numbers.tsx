import { Check, Minus } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { formatDecimal, formatDuration, formatInteger, formatMoney } from '@/reader/format';
import type { DisplayProps } from '../contract';

export function IntegerDisplay({ value }: DisplayProps<'integer'>) {
  const { language } = useReader();
  return <span className="tabular-nums">{formatInteger(value, language)}</span>;
}

export function DecimalDisplay({ value, field }: DisplayProps<'decimal'>) {
  const { language } = useReader();
  return (
    <span className="tabular-nums">
      {formatDecimal(value, language, field.scale)}
      {field.unit && <span className="text-muted-foreground"> {field.unit}</span>}
    </span>
  );
}

export function MoneyDisplay({ value, field }: DisplayProps<'money'>) {
  const { language } = useReader();
  return (
    <span className="tabular-nums">{formatMoney(value.amount, value.currency, language, field.scale)}</span>
  );
}

export function DurationDisplay({ value }: DisplayProps<'duration'>) {
  const { language } = useReader();
  return <span className="tabular-nums">{formatDuration(value, language)}</span>;
}

export function BooleanDisplay({ value }: DisplayProps<'boolean'>) {
  const { t } = useTranslation();
  const Mark = value ? Check : Minus;
  return (
    <span className="inline-flex items-center gap-1">
      <Mark aria-hidden className="size-4 text-muted-foreground" />
      {value ? t('field.yes') : t('field.no')}
    </span>
  );
}

export function GeoDisplay({ value }: DisplayProps<'geo'>) {
  const { language } = useReader();
  return (
    <span className="tabular-nums">
      {formatDecimal(String(value.lat), language, 6)} ; {formatDecimal(String(value.lon), language, 6)}
    </span>
  );
}
