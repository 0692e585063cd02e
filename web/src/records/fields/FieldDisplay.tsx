/** Draws the value of any field; an empty one is a dash that a screen reader calls "empty". */
import { Lock } from 'lucide-react';
import type { ComponentType } from 'react';
import { useTranslation } from 'react-i18next';
import { MASK } from '@/api/json';
import type { FieldMeta } from '@/api/types';
import type { DisplayVariant, FieldSurroundings } from './contract';
import { kindOf } from './lookup';

interface FieldDisplayProps extends FieldSurroundings {
  field: FieldMeta;
  value: unknown;
  variant: DisplayVariant;
}

export function FieldDisplay({ field, value, variant, labels, states }: FieldDisplayProps) {
  const { t } = useTranslation();
  const kind = kindOf(field);
  if (kind.isEmpty(value)) {
    // A grid full of dashes is noise: there an empty cell is simply empty.
    return variant === 'line' ? null : (
      <span className="text-muted-foreground">
        <span aria-hidden>—</span>
        <span className="sr-only">{t('field.empty')}</span>
      </span>
    );
  }
  if (value === MASK && field.type !== 'secret') {
    return (
      <span className="inline-flex items-center gap-1 text-muted-foreground" title={t('field.masked')}>
        <Lock aria-hidden className="size-3" />
        <span aria-hidden>{MASK}</span>
        <span className="sr-only">{t('field.masked')}</span>
      </span>
    );
  }
  const Display = kind.Display as ComponentType<FieldDisplayProps>;
  return <Display field={field} value={value} variant={variant} labels={labels} states={states} />;
}
