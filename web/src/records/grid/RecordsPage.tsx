/** The page of a collection: its views, its filter, its rows, and the record that is open beside them. */
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { notFound } from '@tanstack/react-router';
import { appMetaQuery, entityQuery } from '@/api/meta';
import { ProblemState } from '@/feedback/ProblemState';
import { Skeleton } from '@/ui/skeleton';
import { RecordList } from './RecordList';

export function RecordsPage({ collection }: { collection: string }) {
  const { data: app } = useSuspenseQuery(appMetaQuery);
  const summary = app.entities.find((entity) => entity.collection === collection);
  if (!summary) {
    throw notFound();
  }
  const { data: entity, error, isError, refetch } = useQuery(entityQuery(summary.name));
  if (isError && !entity) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!entity) {
    return (
      <div className="flex h-12 items-center justify-between px-3">
        <Skeleton className="h-4 w-40" />
        <Skeleton className="h-7 w-60" />
      </div>
    );
  }
  return <RecordList entity={entity} app={app} />;
}
