/** One indicator at a glance. */
import { Link } from '@tanstack/react-router';
import { ArrowDown, ArrowRight, ArrowUp, Calendar, ListChecks } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { Badge } from '@/ui/badge';
import { cn } from '@/ui/cn';
import { Sparkline } from '../chart/Sparkline';
import { indicator, plansOfIndicator } from '../drill';
import { figure } from '../figure';
import type { Tile as Shown } from '../figures';
import { judgeChange, type Verdict } from '../judge';
import { periodName } from '../periods';
import { StatusMark } from '../Status';

const TONE: Record<Verdict, string> = {
  better: 'text-[hsl(var(--green-text))]',
  worse: 'text-[hsl(var(--red-text))]',
  same: 'text-muted-foreground',
};

interface ChangeProps {
  tile: Shown;
  than: NonNullable<Shown['previous']>;
  words: string;
}

function Change({ tile, than, words }: ChangeProps) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  if (than.change === null || tile.value === null) {
    return null;
  }
  // As it is written: what rounds to nothing has not changed.
  const change = Number(than.change.toFixed(tile.decimals));
  const verdict = change === 0 ? 'same' : judgeChange(tile.direction, tile.value, than.value, tile.target);
  const Arrow = change > 0 ? ArrowUp : change < 0 ? ArrowDown : ArrowRight;
  return (
    <div
      className="flex min-w-0 items-center gap-1"
      title={periodName(tile.frequency, than.period_start, language, t)}
    >
      <dt className="truncate text-muted-foreground">{words}</dt>
      <dd className={cn('flex shrink-0 items-center gap-0.5 tabular-nums', verdict && TONE[verdict])}>
        <Arrow aria-hidden className="size-3.5" />
        {figure(than.change, language, tile, true)}
        {verdict && verdict !== 'same' && <span className="ml-0.5">{t(`change.${verdict}`)}</span>}
      </dd>
    </div>
  );
}

export function Tile({ tile, handle, large = false }: { tile: Shown; handle?: ReactNode; large?: boolean }) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  return (
    <article
      aria-label={tile.name}
      className="flex h-full min-w-0 flex-col gap-2 rounded-lg border bg-raised p-3 break-inside-avoid"
    >
      <header className="flex items-start gap-2">
        <h3 className={cn('min-w-0 flex-1 font-semibold break-words', large && 'text-lg')}>
          <Link {...indicator(tile.kpi_id)} className="hover:underline">
            {tile.name}
          </Link>
        </h3>
        <StatusMark status={tile.status} />
        {handle}
      </header>
      <div className="flex flex-wrap items-baseline gap-x-3">
        <span className={cn('font-semibold tabular-nums', large ? 'text-4xl' : 'text-2xl leading-8')}>
          {tile.value === null ? '—' : figure(tile.value, language, tile)}
        </span>
        {tile.target !== null && (
          <span className="text-muted-foreground tabular-nums">
            {t('tile.target', { value: figure(tile.target, language, tile) })}
          </span>
        )}
      </div>
      <dl className="flex flex-col gap-0.5 text-xs">
        {tile.previous && <Change tile={tile} than={tile.previous} words={t('tile.previous')} />}
        {tile.year_before && <Change tile={tile} than={tile.year_before} words={t('tile.year_before')} />}
      </dl>
      {tile.values.length > 1 && (
        <Sparkline
          values={tile.values}
          direction={tile.direction}
          thresholds={tile.thresholds}
          target={tile.target}
          className={cn(
            'mt-auto w-full rounded-sm print:[print-color-adjust:exact]',
            large ? 'h-20' : 'h-11',
          )}
        />
      )}
      <footer
        className={cn(
          'flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-muted-foreground',
          tile.values.length < 2 && 'mt-auto',
        )}
      >
        <span>
          {tile.period_start === null
            ? t('tile.no_value')
            : periodName(tile.frequency, tile.period_start, language, t)}
        </span>
        {tile.stale && (
          <Badge color="amber" mark={<Calendar aria-hidden className="size-3.5" />}>
            {t('tile.stale')}
          </Badge>
        )}
        {tile.open_actions > 0 && (
          <Link
            {...plansOfIndicator(tile.kpi_id)}
            className="ml-auto inline-flex items-center gap-1 hover:underline pointer-coarse:min-h-11"
          >
            <ListChecks aria-hidden className="size-3.5" />
            {t('tile.actions', { count: tile.open_actions })}
          </Link>
        )}
      </footer>
    </article>
  );
}
