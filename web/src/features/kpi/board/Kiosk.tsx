/** A dashboard on a wall: it fills the screen and follows the live stream. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { entityQuery } from '@/api/meta';
import { recordQuery } from '@/api/records';
import type { EntityMeta } from '@/api/types';
import { NotFoundPage } from '@/feedback/NotFoundPage';
import { ProblemState } from '@/feedback/ProblemState';
import { useNow, useReader } from '@/reader/context';
import { formatDateTime } from '@/reader/format';
import { Skeleton } from '@/ui/skeleton';
import { dashboard } from '../drill';
import { tilesQuery, useFreshFigures } from '../figures';
import { Stage } from '../Stage';
import { GRID } from './SortableTiles';
import { Tile } from './Tile';

const route = getRouteApi('/_app/p/$page');

function Wall({ entity, id }: { entity: EntityMeta; id: string }) {
  const { t } = useTranslation('kpi');
  const { language, timeZone } = useReader();
  const navigate = useNavigate();
  const now = useNow();
  useFreshFigures();
  const { data: page } = useQuery(recordQuery(entity, id));
  const { data, error, isError, refetch } = useQuery(tilesQuery(id));
  const title = String(page?.record.title ?? '');
  return (
    <Stage
      title={title}
      label={t('kiosk.label', { title })}
      onLeave={() => void navigate(dashboard(id))}
      controls={
        <span className="text-muted-foreground tabular-nums">
          {formatDateTime(new Date(now).toISOString(), language, timeZone)}
        </span>
      }
    >
      {isError && !data && <ProblemState error={error} onRetry={() => void refetch()} />}
      {!isError && !data && <Skeleton className="h-64 rounded-md" />}
      {data && (
        <ul className={GRID}>
          {data.items.map((tile) => (
            <li key={tile.kpi_id}>
              <Tile tile={tile} large />
            </li>
          ))}
        </ul>
      )}
    </Stage>
  );
}

export function Kiosk() {
  const { open } = route.useSearch();
  const { data: entity, error, isError, refetch } = useQuery(entityQuery('dashboard'));
  if (open === undefined) {
    return <NotFoundPage />;
  }
  if (isError && !entity) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  return entity ? <Wall key={open} entity={entity} id={open} /> : <Skeleton className="m-4 h-64" />;
}
