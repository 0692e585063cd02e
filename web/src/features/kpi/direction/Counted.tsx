/** How many indicators stand where; each count leads to what was counted. */
import { Link } from '@tanstack/react-router';
import { Calendar, CircleAlert, ListChecks } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { type Counted, indicatorsOf, plansOf } from '../drill';
import type { Counts } from '../figures';
import { STATUS } from '../Status';

const COLOURS = [
  ['red', 'RED'],
  ['orange', 'ORANGE'],
  ['green', 'GREEN'],
  ['no_data', 'NO_DATA'],
] as const;

export function StatusCounts({ counts, counted }: { counts: Counts; counted: Counted }) {
  const { t } = useTranslation('kpi');
  return (
    <ul className="flex flex-wrap gap-1.5">
      {COLOURS.filter(([name]) => counts[name] > 0).map(([name, status]) => {
        const { Icon, color } = STATUS[status];
        return (
          <li key={name}>
            <Link
              {...indicatorsOf(counted, status === 'NO_DATA' ? null : status)}
              className="inline-flex h-6 items-center gap-1 rounded-sm px-1.5 text-xs font-medium whitespace-nowrap hover:underline pointer-coarse:min-h-11 print:[print-color-adjust:exact]"
              style={{ backgroundColor: `hsl(var(--${color}-surface))`, color: `hsl(var(--${color}-text))` }}
            >
              <Icon aria-hidden className="size-3.5 shrink-0" />
              {t(`direction.counted.${status}`, { count: counts[name] })}
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

export function PlanCounts({ counts, counted }: { counts: Counts; counted: Counted }) {
  const { t } = useTranslation('kpi');
  const link = 'inline-flex items-center gap-1 whitespace-nowrap hover:underline pointer-coarse:min-h-11';
  return (
    <span className="flex flex-wrap gap-x-3 gap-y-1 text-xs">
      {counts.stale > 0 && (
        <span className="inline-flex items-center gap-1 whitespace-nowrap text-muted-foreground">
          <Calendar aria-hidden className="size-3.5" />
          {t('direction.stale', { count: counts.stale })}
        </span>
      )}
      {counts.open_actions > 0 && (
        <Link {...plansOf(counted, false)} className={link}>
          <ListChecks aria-hidden className="size-3.5" />
          {t('tile.actions', { count: counts.open_actions })}
        </Link>
      )}
      {counts.late_actions > 0 && (
        <Link {...plansOf(counted, true)} className={`${link} text-danger`}>
          <CircleAlert aria-hidden className="size-3.5" />
          {t('direction.late', { count: counts.late_actions })}
        </Link>
      )}
    </span>
  );
}
