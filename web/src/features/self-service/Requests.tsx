/** One's own requests, with where each stands. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChevronRight, HandHelping } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fieldNamed } from '@/api/meta';
import { listQuery } from '@/api/records';
import type { Condition, EntityMeta, Labels, RecordData } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';
import { Skeleton } from '@/ui/skeleton';
import { finishedStates } from './words';

const FIELDS = ['number', 'title', 'status', 'assignee', 'updated_at'];

const OWN: Condition = { field: 'requester', op: 'eq', value: '@me' };

function questionOf(entity: EntityMeta, all: boolean): Condition {
  const finished = finishedStates(entity);
  return all || entity.state_field === null || finished.length === 0
    ? OWN
    : { all: [OWN, { field: entity.state_field, op: 'not_in', value: finished }] };
}

interface RequestProps {
  entity: EntityMeta;
  record: RecordData;
  labels: Labels;
}

function Request({ entity, record, labels }: RequestProps) {
  const shown = (name: string) => {
    const field = fieldNamed(entity, name);
    return (
      field && (
        <FieldDisplay
          field={field}
          value={record[name]}
          variant="line"
          labels={labels}
          states={entity.states}
        />
      )
    );
  };
  return (
    <li className="border-b last:border-b-0">
      <Link
        to="/p/$page"
        params={{ page: 'self-service' }}
        search={{ open: typeof record.number === 'string' ? record.number : record.id }}
        className="flex min-h-14 items-center gap-3 px-3 py-2.5 hover:bg-hover"
      >
        <span className="min-w-0 flex-1">
          <span className="block truncate text-base font-medium">{String(record.title ?? '')}</span>
          <span className="flex min-w-0 gap-2 text-muted-foreground">
            <span className="shrink-0">{shown('number')}</span>
            <span className="shrink-0">{shown('updated_at')}</span>
            <span className="flex min-w-0">{shown('assignee')}</span>
          </span>
        </span>
        <span className="shrink-0">{shown('status')}</span>
        <ChevronRight aria-hidden className="size-4 shrink-0 text-muted-foreground" />
      </Link>
    </li>
  );
}

function RequestList({ entity, all }: { entity: EntityMeta; all: boolean }) {
  const { t } = useTranslation();
  const { data, error, isError, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    listQuery(entity, {
      fields: FIELDS.filter((name) => fieldNamed(entity, name)),
      filter: questionOf(entity, all),
      sort: ['-updated_at'],
      limit: 30,
    }),
  );
  if (isError && !data) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Skeleton className="h-40 rounded-lg" />;
  }
  if (data.pages[0]?.items.length === 0) {
    return (
      <EmptyState
        icon={<HandHelping aria-hidden />}
        title={t(all ? 'self_service.none' : 'self_service.none_open')}
      >
        {t('self_service.none_help')}
      </EmptyState>
    );
  }
  return (
    <>
      <ul className="overflow-hidden rounded-lg border">
        {data.pages.flatMap((page) =>
          page.items.map((record) => (
            <Request key={record.id} entity={entity} record={record} labels={page.labels} />
          )),
        )}
      </ul>
      {hasNextPage && (
        <Button className="mt-2" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {t('self_service.more')}
        </Button>
      )}
    </>
  );
}

export function Requests({ entity }: { entity: EntityMeta }) {
  const { t } = useTranslation();
  const [all, setAll] = useState(false);
  return (
    <section aria-labelledby="self-service-mine">
      <div className="mb-2 flex flex-wrap items-center gap-2">
        <h2 id="self-service-mine" className="mr-auto text-base font-semibold">
          {t('self_service.mine')}
        </h2>
        {[false, true].map((value) => (
          <Button
            key={String(value)}
            variant="ghost"
            aria-pressed={all === value}
            className="text-muted-foreground aria-pressed:bg-selected aria-pressed:text-foreground"
            onClick={() => setAll(value)}
          >
            {t(value ? 'self_service.all' : 'self_service.open')}
          </Button>
        ))}
      </div>
      <RequestList entity={entity} all={all} />
    </section>
  );
}
