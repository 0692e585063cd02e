/** The management view as a meeting sees it: one dashboard or process a slide, led by keys. */
import { useQueries } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowLeft, ArrowRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { formatDate } from '@/reader/format';
import { Button } from '@/ui/button';
import { Select } from '@/ui/input';
import { Skeleton } from '@/ui/skeleton';
import { GRID } from '../board/SortableTiles';
import { Tile } from '../board/Tile';
import { dashboard } from '../drill';
import { type Direction, tilesQuery } from '../figures';
import { Stage } from '../Stage';
import { StatusMark } from '../Status';
import { PlanCounts, StatusCounts } from './Counted';
import { Boards, Plans, Processes, Risks } from './Sections';
import { type By, type Slide, slideAfter, slidesOf } from './slides';

type BoardsSlide = Extract<Slide, { kind: 'boards' }>;

function OfBoards({ slide }: { slide: BoardsSlide }) {
  const { boards, counts } = slide;
  const first = boards[0];
  const all = useQueries({ queries: boards.map(({ dashboard_id }) => tilesQuery(dashboard_id)) });
  const counted =
    boards.length === 1 && first
      ? { dashboard: first.dashboard_id }
      : { process: first?.process_name ?? null };
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <StatusMark status={counts.status} />
        <StatusCounts counts={counts} counted={counted} />
        <PlanCounts counts={counts} counted={counted} />
      </div>
      {boards.map((board, at) => {
        const query = all[at];
        return (
          <section key={board.dashboard_id} aria-label={board.title} className="flex flex-col gap-2">
            {boards.length > 1 && (
              <h2 className="text-base font-semibold">
                <Link {...dashboard(board.dashboard_id)} className="hover:underline">
                  {board.title}
                </Link>
              </h2>
            )}
            {query?.isError && !query.data ? (
              <ProblemState error={query.error} onRetry={() => void query.refetch()} />
            ) : query?.data ? (
              <ul className={GRID}>
                {query.data.items.map((tile) => (
                  <li key={tile.kpi_id}>
                    <Tile tile={tile} large />
                  </li>
                ))}
              </ul>
            ) : (
              <Skeleton className="h-40 rounded-md" />
            )}
          </section>
        );
      })}
    </div>
  );
}

interface PresentationProps {
  view: Direction;
  by: By;
  at: number;
  onMove: (to: { at?: number; by?: By }) => void;
  onLeave: () => void;
}

export function Presentation({ view, by, at, onMove, onLeave }: PresentationProps) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const slides = slidesOf(view, by);
  const slide = slides[at] ?? { kind: 'summary' };
  const title =
    slide.kind === 'boards'
      ? (slide.title ?? t('direction.no_process'))
      : t(`present.${slide.kind}`, { date: formatDate(view.today, language) });
  const go = (to: number) => onMove({ at: to });
  return (
    <Stage
      title={title}
      label={t('present.label')}
      onLeave={onLeave}
      onKey={(key) => {
        const to = slideAfter(key, at, slides.length);
        if (to !== null && to !== at) {
          go(to);
        }
      }}
      controls={
        <>
          <Select
            aria-label={t('present.by')}
            className="w-auto"
            value={by}
            onKeyDown={(event) => event.stopPropagation()}
            onChange={({ target }) =>
              onMove({ at: 0, by: target.value === 'process' ? 'process' : 'dashboard' })
            }
          >
            <option value="dashboard">{t('present.by_dashboard')}</option>
            <option value="process">{t('present.by_process')}</option>
          </Select>
          <Button
            variant="ghost"
            size="icon"
            aria-label={t('present.back')}
            disabled={at === 0}
            onClick={() => go(at - 1)}
          >
            <ArrowLeft aria-hidden />
          </Button>
          <span aria-live="polite" className="tabular-nums">
            <span className="sr-only">{title}, </span>
            {t('present.place', { place: at + 1, count: slides.length })}
          </span>
          <Button
            variant="ghost"
            size="icon"
            aria-label={t('present.on')}
            disabled={at >= slides.length - 1}
            onClick={() => go(at + 1)}
          >
            <ArrowRight aria-hidden />
          </Button>
        </>
      }
    >
      {slide.kind === 'summary' && (
        <div className="flex flex-col gap-6">
          <Processes view={view} />
          <Boards view={view} />
        </div>
      )}
      {slide.kind === 'risks' && <Risks view={view} />}
      {slide.kind === 'plans' && <Plans view={view} />}
      {slide.kind === 'boards' && <OfBoards key={`${by} ${at}`} slide={slide} />}
    </Stage>
  );
}
