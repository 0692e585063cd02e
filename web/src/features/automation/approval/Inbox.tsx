/** What one is asked to decide, what one has asked for, and what was decided lately. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Inbox as InboxIcon, Table } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { appMetaQuery, entityQuery, fieldNamed } from '@/api/meta';
import { type ListParams, listQuery } from '@/api/records';
import type { Condition, EntityMeta, Labels, Me, RecordData } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { formatDateTime } from '@/reader/format';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';
import { Skeleton } from '@/ui/skeleton';
import { About } from '../about';
import { Decide } from './decide';
import { ASKED_FIELDS, mayDecide, Standing } from './standing';

/** Approvals are not in the stream of changes. */
const PACE = 10_000;

const PENDING: Condition = { field: 'status', op: 'eq', value: 'PENDING' };
const MINE: Condition = {
  any: ASKED_FIELDS.map((field) => ({ field, op: 'contains', value: '@me' })),
};
const ASKED: Condition = { field: 'requester', op: 'eq', value: '@me' };

function useApprovals(entity: EntityMeta, params: ListParams) {
  return useInfiniteQuery({ ...listQuery(entity, params), refetchInterval: PACE });
}

interface CardProps {
  entity: EntityMeta;
  approval: RecordData;
  labels: Labels;
  me: Me;
  /** Whether the answer is already given, where others still have to give theirs. */
  decided: boolean;
}

function Card({ entity, approval, labels, me, decided }: CardProps) {
  const { t } = useTranslation();
  const { language, timeZone } = useReader();
  const { id, message, requester, due_at: due, created_at: asked } = approval;
  const title = String(approval.title ?? '');
  const status = fieldNamed(entity, 'status');
  const who = typeof requester === 'string' ? labels[requester] : undefined;
  return (
    <li className="flex flex-col gap-2 rounded-md border p-3">
      <div className="flex flex-wrap items-start gap-x-3 gap-y-1">
        <Link
          to="/r/$collection/$id"
          params={{ collection: entity.collection, id }}
          className="mr-auto min-w-0 text-base font-semibold break-words hover:underline"
        >
          {title}
        </Link>
        {status && (
          <FieldDisplay
            field={status}
            value={approval.status}
            variant="line"
            labels={labels}
            states={entity.states}
          />
        )}
      </div>
      <div className="flex flex-wrap gap-x-4 gap-y-1">
        <About entity={approval.entity} record={approval.record} subject={approval.subject} />
        {who && (
          <span className="text-muted-foreground">{t('automation.approval.asked_by', { name: who })}</span>
        )}
        {typeof asked === 'string' && (
          <span className="text-muted-foreground">{formatDateTime(asked, language, timeZone)}</span>
        )}
        {typeof due === 'string' && approval.status === 'PENDING' && (
          <span className="text-muted-foreground">
            {t('automation.approval.due', { moment: formatDateTime(due, language, timeZone) })}
          </span>
        )}
        <Standing approval={approval} />
      </div>
      {typeof message === 'string' && message !== '' && (
        <p className="max-w-2xl break-words whitespace-pre-wrap">{message}</p>
      )}
      {mayDecide(approval, me.id, decided) && <Decide id={id} title={title} />}
    </li>
  );
}

interface PartProps {
  entity: EntityMeta;
  vote: EntityMeta;
  me: Me;
}

function Cards({ title, rows, entity, labels, me, voted }: PartProps & CardsProps) {
  if (rows.length === 0) {
    return null;
  }
  return (
    <section aria-label={title}>
      <h2 className="mb-2 font-semibold">{title}</h2>
      <ul className="flex flex-col gap-2">
        {rows.map((approval) => (
          <Card
            key={approval.id}
            entity={entity}
            approval={approval}
            labels={labels}
            me={me}
            decided={voted.has(approval.id)}
          />
        ))}
      </ul>
    </section>
  );
}

interface CardsProps {
  title: string;
  rows: RecordData[];
  labels: Labels;
  voted: Set<unknown>;
}

function Approvals({ entity, vote, me }: PartProps) {
  const { t } = useTranslation();
  const pending = useApprovals(entity, {
    filter: { all: [PENDING, { any: [MINE, ASKED] }] },
    sort: ['created_at'],
  });
  const past = useApprovals(entity, {
    filter: { all: [{ not: PENDING }, { any: [MINE, ASKED] }] },
    sort: ['-created_at'],
    limit: 10,
  });
  const rows = pending.data?.pages.flatMap(({ items }) => items) ?? [];
  const votes = useInfiniteQuery({
    ...listQuery(vote, {
      filter: {
        all: [
          { field: 'user', op: 'eq', value: '@me' },
          { field: 'approval', op: 'in', value: rows.map(({ id }) => id) },
        ],
      },
    }),
    enabled: rows.length > 0,
  });
  if (pending.isError && !pending.data) {
    return <ProblemState error={pending.error} onRetry={() => void pending.refetch()} />;
  }
  if (!pending.data || (rows.length > 0 && votes.isPending)) {
    return <Skeleton className="h-40 rounded-md" />;
  }
  const voted = new Set(votes.data?.pages.flatMap(({ items }) => items.map(({ approval }) => approval)));
  const labels = Object.assign(
    {},
    ...[pending.data, past.data].flatMap((data) => data?.pages ?? []).map((page) => page.labels),
  );
  const mine = rows.filter((row) => mayDecide(row, me.id, voted.has(row.id)));
  const others = rows.filter((row) => !mine.includes(row));
  const done = past.data?.pages.flatMap(({ items }) => items) ?? [];
  const shared = { entity, vote, me, labels, voted };
  return (
    <>
      {mine.length === 0 && (
        <EmptyState icon={<InboxIcon aria-hidden />} title={t('automation.inbox.empty')}>
          {t('automation.inbox.empty_help')}
        </EmptyState>
      )}
      <Cards title={t('automation.inbox.mine')} rows={mine} {...shared} />
      <Cards title={t('automation.inbox.waiting')} rows={others} {...shared} />
      <Cards title={t('automation.inbox.done')} rows={done} {...shared} />
    </>
  );
}

export function Inbox() {
  const { t } = useTranslation();
  const { data: app } = useQuery(appMetaQuery);
  const { data: entity, error, isError, refetch } = useQuery(entityQuery('approval'));
  const { data: vote } = useQuery(entityQuery('approval_vote'));
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-3xl flex-col gap-6 p-4 sm:p-6">
        <header className="flex flex-wrap items-center gap-2">
          <h1 className="mr-auto text-xl font-semibold">
            {entity?.label_plural ?? t('automation.inbox.title')}
          </h1>
          <Button asChild>
            <Link to="/r/$collection" params={{ collection: 'approvals' }} search={{ sort: ['-created_at'] }}>
              <Table aria-hidden /> {t('automation.inbox.table')}
            </Link>
          </Button>
        </header>
        {isError && !entity && <ProblemState error={error} onRetry={() => void refetch()} />}
        {app && entity && vote ? (
          <Approvals entity={entity} vote={vote} me={app.user} />
        ) : (
          !isError && <Skeleton className="h-40 rounded-md" />
        )}
      </div>
    </div>
  );
}
