/** The management view: where everything stands, what to speak of first, what is done about it. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Monitor, Printer } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { formatDate } from '@/reader/format';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';
import { Skeleton } from '@/ui/skeleton';
import { directionQuery, useFreshFigures } from '../figures';
import { Presentation } from './Presentation';
import { useLightOnPaper } from './print';
import { Boards, Plans, Processes, Risks, Section } from './Sections';
import { type By, slideAt, slidesOf } from './slides';

const route = getRouteApi('/_app/p/$page');

export function DirectionPage() {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const navigate = useNavigate();
  const { at, by: asked } = route.useSearch();
  const by: By = asked === 'process' ? 'process' : 'dashboard';
  useFreshFigures();
  useLightOnPaper();
  const { data: view, error, isError, refetch } = useQuery(directionQuery);
  if (isError && !view) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!view) {
    return <Skeleton className="m-4 h-96" />;
  }
  const slide = slideAt(at, slidesOf(view, by).length);
  const move = (search: { at?: string; by?: string }) =>
    void navigate({ to: '.', search, replace: at !== undefined });
  return (
    <div className="@container mx-auto flex max-w-7xl flex-col gap-6 p-4">
      <header className="flex flex-wrap items-center gap-2">
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="text-xl font-semibold">{t('direction.title')}</h1>
          <p className="text-muted-foreground">
            {t('direction.on', { date: formatDate(view.today, language) })}
          </p>
        </div>
        {view.items.length > 0 && (
          <span className="flex gap-2 print:hidden">
            <Button onClick={() => window.print()}>
              <Printer aria-hidden /> {t('direction.print')}
            </Button>
            <Button
              variant="primary"
              onClick={() => {
                void document.documentElement.requestFullscreen?.().catch(() => undefined);
                move({ at: '1', by });
              }}
            >
              <Monitor aria-hidden /> {t('direction.present')}
            </Button>
          </span>
        )}
      </header>
      {view.items.length === 0 ? (
        <EmptyState
          icon={<Monitor aria-hidden />}
          title={t('direction.empty')}
          actions={
            <Button asChild variant="primary">
              <Link to="/r/$collection" params={{ collection: 'dashboards' }}>
                {t('direction.to_dashboards')}
              </Link>
            </Button>
          }
        >
          {t('direction.empty_help')}
        </EmptyState>
      ) : (
        <>
          <Section id="processes" title={t('direction.processes')}>
            <Processes view={view} />
          </Section>
          <Section id="risks" title={t('direction.risks')}>
            <Risks view={view} />
          </Section>
          <Section id="plans" title={t('direction.key_plans')}>
            <Plans view={view} />
          </Section>
          <Section id="boards" title={t('direction.boards')}>
            <Boards view={view} />
          </Section>
        </>
      )}
      {slide !== null && view.items.length > 0 && (
        <Presentation
          view={view}
          by={by}
          at={slide}
          onMove={(to) => move({ at: String((to.at ?? slide) + 1), by: to.by ?? by })}
          onLeave={() => move({})}
        />
      )}
    </div>
  );
}
