/** The page of a collection: its views, its filter, its rows, and the record that is open beside them. */
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { Suspense } from 'react';
import { appMetaQuery, entityQuery } from '@/api/meta';
import type { AppMeta } from '@/api/types';
import { NotFoundPage } from '@/feedback/NotFoundPage';
import { ProblemState } from '@/feedback/ProblemState';
import { useOwnParts } from '@/records/record/own-parts';
import { Skeleton } from '@/ui/skeleton';
import { RecordList } from './RecordList';

export function RecordsPage({ collection }: { collection: string }) {
  const { data: app } = useSuspenseQuery(appMetaQuery);
  const summary = app.entities.find((entity) => entity.collection === collection);
  return summary ? <EntityPage app={app} name={summary.name} /> : <NotFoundPage />;
}

function EntityPage({ app, name }: { app: AppMeta; name: string }) {
  const { data: entity, error, isError, refetch } = useQuery(entityQuery(name));
  const Home = useOwnParts(name)?.Home;
  const asked = useSearch({ strict: false, select: (search) => Object.keys(search).length > 0 });
  if (Home && !asked) {
    return (
      <Suspense fallback={<Placeholder />}>
        <Home />
      </Suspense>
    );
  }
  if (entity) {
    return <RecordList entity={entity} app={app} />;
  }
  return isError ? <ProblemState error={error} onRetry={() => void refetch()} /> : <Placeholder />;
}

function Placeholder() {
  return (
    <div className="flex h-11 items-center justify-between border-b px-3">
      <Skeleton className="h-4 w-40" />
      <Skeleton className="h-7 w-60" />
    </div>
  );
}
