/** What a dashboard opens with: its indicators as tiles, then as a heat map. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Gauge, GripVertical, Maximize2, Plus, Table } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { entityQuery } from '@/api/meta';
import { bulkWrite } from '@/api/records';
import type { EntityMeta } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { useRecordSession } from '@/records/record/session';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';
import { Skeleton } from '@/ui/skeleton';
import { readFiguresAgain, type Tile as Shown, tilesQuery, useFreshFigures } from '../figures';
import { arranged, placesToWrite } from './arrangement';
import { HeatMap } from './HeatMap';
import { GRID, SortableTiles } from './SortableTiles';
import { Tile } from './Tile';

const CreateDialog = lazy(() =>
  import('@/records/form/CreateDialog').then(({ CreateDialog }) => ({ default: CreateDialog })),
);

/** The order is kept here while it is changed, and written once, when one is done. */
function useArrangement(tiles: Shown[], kpi: EntityMeta | undefined) {
  const { t } = useTranslation('kpi');
  const { t: house } = useTranslation();
  const client = useQueryClient();
  const [order, setOrder] = useState<string[] | null>(null);
  const [writing, setWriting] = useState(false);
  const start = () => setOrder(tiles.map(({ kpi_id }) => kpi_id));
  const write = async () => {
    if (!kpi || order === null) {
      return;
    }
    setWriting(true);
    try {
      const results = await bulkWrite(kpi, placesToWrite(order));
      const refused = results.find(({ problem }) => problem)?.problem;
      if (refused) {
        failed(t('arrange.refused'), refused.detail ?? refused.title);
      } else {
        told(t('arrange.done'));
      }
      await readFiguresAgain(client);
      setOrder(null);
    } catch (error) {
      failed(t('arrange.refused'), problemText(error, house));
    } finally {
      setWriting(false);
    }
  };
  return { order, setOrder, start, write, writing };
}

export function Board() {
  const { t } = useTranslation('kpi');
  const { t: house } = useTranslation();
  const client = useQueryClient();
  const { page } = useRecordSession();
  const { id } = page.record;
  useFreshFigures();
  const { data, error, isError, refetch } = useQuery(tilesQuery(id));
  const { data: kpi } = useQuery(entityQuery('kpi'));
  const { data: value } = useQuery(entityQuery('kpi_value'));
  const [creating, setCreating] = useState(false);
  const tiles = data?.items ?? [];
  const { order, setOrder, start, write, writing } = useArrangement(tiles, kpi);
  const known = order && arranged(tiles, order).map(({ kpi_id }) => kpi_id);
  if (isError && !data) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Skeleton className="h-64 rounded-md" />;
  }
  const add = page.can.edit && kpi?.can.create && (
    <Button onClick={() => setCreating(true)}>
      <Plus aria-hidden /> {t('board.add')}
    </Button>
  );
  return (
    <div className="@container flex flex-col gap-6">
      <div className="flex flex-wrap items-center gap-2 print:hidden">
        {known ? (
          <>
            <p className="min-w-0 flex-1 basis-64 text-muted-foreground">{t('arrange.help')}</p>
            <Button onClick={() => setOrder(null)}>{house('action.cancel')}</Button>
            <Button variant="primary" disabled={writing} onClick={() => void write()}>
              {t('arrange.save')}
            </Button>
          </>
        ) : (
          <>
            {add}
            {value?.can.create && tiles.length > 0 && (
              <Button asChild>
                <Link to="/p/$page" params={{ page: 'kpi-entry' }} search={{ open: id }}>
                  <Table aria-hidden /> {t('board.enter')}
                </Link>
              </Button>
            )}
            {page.can.edit && tiles.length > 1 && (
              <Button onClick={start}>
                <GripVertical aria-hidden /> {t('board.arrange')}
              </Button>
            )}
            {tiles.length > 0 && (
              <Button asChild>
                <Link
                  to="/p/$page"
                  params={{ page: 'kiosk' }}
                  search={{ open: id }}
                  // Asked for while the click is still one; where it is refused the page fills the window.
                  onClick={() => void document.documentElement.requestFullscreen?.().catch(() => undefined)}
                >
                  <Maximize2 aria-hidden /> {t('board.kiosk')}
                </Link>
              </Button>
            )}
          </>
        )}
      </div>
      {tiles.length === 0 ? (
        <EmptyState icon={<Gauge aria-hidden />} title={t('board.empty')}>
          {t('board.empty_help')}
        </EmptyState>
      ) : known ? (
        <SortableTiles tiles={tiles} order={known} onOrder={setOrder} />
      ) : (
        <ul className={GRID}>
          {tiles.map((tile) => (
            <li key={tile.kpi_id}>
              <Tile tile={tile} />
            </li>
          ))}
        </ul>
      )}
      {!known && <HeatMap tiles={tiles} />}
      <Suspense fallback={null}>
        {creating && kpi && (
          <CreateDialog
            entity={kpi}
            initial={{ dashboard_id: id }}
            labels={{ [id]: String(page.record.title ?? '') }}
            onClose={() => setCreating(false)}
            onCreated={() => {
              setCreating(false);
              void readFiguresAgain(client);
            }}
          />
        )}
      </Suspense>
    </div>
  );
}
