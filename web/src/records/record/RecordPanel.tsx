/** One record, beside a list or as a page of its own. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { appMetaQuery, entityQuery } from '@/api/meta';
import { isProblem } from '@/api/problem';
import { deletedRecordQuery, recordQuery } from '@/api/records';
import type { AppMeta, EntityMeta } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { useFreshRecord } from '@/records/live/record';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';
import { RecordView } from './RecordView';

export interface RecordPanelProps {
  collection: string;
  /** An id, or the record's number. */
  id: string;
  /** `panel`: beside the list it was opened from. `page`: the whole width. */
  mode: 'panel' | 'page';
  /** Closes the panel; absent on a page. */
  onClose?: () => void;
}

function Placeholder() {
  return (
    <div aria-busy className="flex flex-col gap-3 p-4">
      <Skeleton className="h-4 w-32" />
      <Skeleton className="h-6 w-3/5" />
      <Skeleton className="h-7 w-72" />
      <Skeleton className="mt-4 h-64 w-full" />
    </div>
  );
}

interface LoadedProps extends RecordPanelProps {
  app: AppMeta;
  entity: EntityMeta;
}

function Loaded({ app, entity, id, mode, onClose }: LoadedProps) {
  const { t } = useTranslation();
  const { data: living, error, isError, refetch } = useQuery(recordQuery(entity, id));
  const missing = isError && isProblem(error) && error.status === 404;
  // Not there may mean deleted: whoever may see that may bring it back.
  const deleted = useQuery({ ...deletedRecordQuery(entity, id), enabled: missing && !living, retry: false });
  const data = living ?? deleted.data;
  useFreshRecord(entity, id, data?.record.id);
  if (!data) {
    return isError && !deleted.isFetching ? (
      <ProblemState
        error={error}
        onRetry={() => void refetch()}
        actions={onClose && <Button onClick={onClose}>{t('action.close')}</Button>}
      />
    ) : (
      <Placeholder />
    );
  }
  return (
    <RecordView
      key={data.record.id}
      entity={entity}
      page={data}
      me={app.user}
      reference={id}
      mode={mode}
      missing={missing}
      onClose={onClose}
    />
  );
}

export function RecordPanel(props: RecordPanelProps) {
  const { data: app } = useQuery(appMetaQuery);
  const name = app?.entities.find((entity) => entity.collection === props.collection)?.name;
  const {
    data: entity,
    error,
    isError,
    refetch,
  } = useQuery({
    ...entityQuery(name ?? props.collection),
    enabled: app !== undefined,
  });
  if (isError && !entity) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!app || !entity) {
    return <Placeholder />;
  }
  return <Loaded {...props} app={app} entity={entity} />;
}
