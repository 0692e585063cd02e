/**
 * For a person who needs help and not a tool: say what is wrong in three fields, and see what becomes of
 * it. It stands on the desk's tickets and shows only one's own.
 */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { appMetaQuery, entityQuery } from '@/api/meta';
import { ProblemState } from '@/feedback/ProblemState';
import { Skeleton } from '@/ui/skeleton';
import { AskForm } from './AskForm';
import { RequestPage } from './RequestPage';
import { Requests } from './Requests';

const route = getRouteApi('/_app/p/$page');

function Placeholder() {
  return (
    <div aria-busy className="mx-auto flex max-w-2xl flex-col gap-4 p-4 sm:p-6">
      <Skeleton className="h-7 w-3/4" />
      <Skeleton className="h-64 rounded-lg" />
      <Skeleton className="h-40 rounded-lg" />
    </div>
  );
}

export function SelfServicePage() {
  const { t } = useTranslation();
  const { open } = route.useSearch();
  const { data: app } = useQuery(appMetaQuery);
  const { data: entity, error, isError, refetch } = useQuery(entityQuery('ticket'));
  if (isError && !entity) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!entity || !app) {
    return <Placeholder />;
  }
  if (open !== undefined) {
    return <RequestPage key={open} entity={entity} me={app.user} reference={open} />;
  }
  return (
    <div className="mx-auto flex max-w-2xl flex-col gap-8 p-4 sm:p-6">
      {entity.can.create && (
        <section aria-labelledby="self-service-ask">
          <h1 id="self-service-ask" className="text-xl font-semibold">
            {t('self_service.title', { name: app.user.full_name.split(' ')[0] })}
          </h1>
          <p className="mb-4 text-base text-muted-foreground">{t('self_service.help')}</p>
          <AskForm entity={entity} />
        </section>
      )}
      <Requests entity={entity} />
    </div>
  );
}
