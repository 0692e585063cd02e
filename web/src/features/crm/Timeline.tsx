/** What happened with an organisation, a person or a deal, the newest first, and noting more in two clicks. */
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Bot, Handshake, type LucideIcon, Mail, MapPin, Phone, StickyNote, Users } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { entityQuery, fieldNamed } from '@/api/meta';
import { listQuery, readList } from '@/api/records';
import type { Condition, EntityMeta, Labels, RecordData } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { formatDateTime } from '@/reader/format';
import { useRecordSession } from '@/records/record/session';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';
import { useWords } from './words';

const CreateDialog = lazy(() =>
  import('@/records/form/CreateDialog').then(({ CreateDialog }) => ({ default: CreateDialog })),
);

const ICONS: Record<string, LucideIcon> = {
  call: Phone,
  email: Mail,
  meeting: Users,
  note: StickyNote,
  visit: MapPin,
  system: Bot,
};
/** What a person notes; what the house notes it notes itself. */
const NOTED = ['call', 'email', 'meeting', 'visit', 'note'];

function Entry({ entity, activity, labels }: { entity: EntityMeta; activity: RecordData; labels: Labels }) {
  const say = useWords();
  const { language, timeZone } = useReader();
  const Sign = ICONS[String(activity.type)] ?? Handshake;
  const { description } = activity;
  const who = [activity.owner, activity.person, activity.deal].flatMap((id) =>
    typeof id === 'string' ? (labels[id] ?? []) : [],
  );
  return (
    <li className="flex gap-3 border-l-2 pb-4 pl-3">
      <Sign aria-hidden className="mt-0.5 size-4 shrink-0 text-muted-foreground" />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-x-2">
          <Link
            to="/r/$collection/$id"
            params={{ collection: entity.collection, id: activity.id }}
            className="min-w-0 font-medium break-words hover:underline"
          >
            {String(activity.title ?? '')}
          </Link>
          {activity.planned === true && <Badge color="violet">{say('timeline.planned')}</Badge>}
        </div>
        <p className="text-muted-foreground">
          {[formatDateTime(String(activity.occurred_at), language, timeZone), ...who].join(' · ')}
        </p>
        {typeof description === 'string' && description !== '' && (
          <p className="mt-1 max-w-2xl break-words whitespace-pre-wrap">{description}</p>
        )}
      </div>
    </li>
  );
}

interface EntriesProps {
  entity: EntityMeta;
  /** What the record is about which they are. */
  about: string;
  id: string;
}

const is = (field: string, value: string): Condition => ({ field, op: 'eq', value });

/** Of a person also what happened with the organisations he belongs to. */
function activitiesOf(about: string, id: string): Condition {
  return about === 'person'
    ? { any: [is('person', id), is('organisation.person_links.person', id)] }
    : is(about, id);
}

/** A move of a deal, among what people did. */
function Move({ move, labels, deal }: { move: RecordData; labels: Labels; deal: EntityMeta | undefined }) {
  const say = useWords();
  const { language, timeZone } = useReader();
  const label = (stage: unknown) =>
    deal?.states.find(({ value }) => value === stage)?.label ?? String(stage ?? '–');
  const { reason, user } = move;
  const who = typeof user === 'string' ? labels[user] : undefined;
  return (
    <li className="flex gap-3 border-l-2 pb-4 pl-3">
      <Handshake aria-hidden className="mt-0.5 size-4 shrink-0 text-muted-foreground" />
      <div className="min-w-0 flex-1">
        <p className="break-words">
          {say('timeline.stage', {
            title: labels[String(move.deal)] ?? '',
            from: label(move.from),
            to: label(move.to),
          })}
        </p>
        <p className="text-muted-foreground">
          {[formatDateTime(String(move.created_at), language, timeZone), who, reason]
            .filter((part) => typeof part === 'string' && part !== '')
            .join(' · ')}
        </p>
      </div>
    </li>
  );
}

/** The moves of deals between two moments; none on the page of a person. */
function useMoves(about: string, id: string, oldest: string | null) {
  const { data: entity } = useQuery(entityQuery('deal_stage_change'));
  const since: Condition[] = oldest ? [{ field: 'created_at', op: 'gte', value: oldest }] : [];
  const whose = about === 'deal' ? is('deal', id) : is('deal.organisation', id);
  return useQuery({
    queryKey: ['records', 'deal', 'moves', about, id, oldest],
    queryFn: ({ signal }) =>
      entity
        ? readList(
            entity,
            { filter: { all: [whose, ...since] }, sort: ['-created_at'], limit: 100 },
            null,
            signal,
          )
        : null,
    enabled: entity !== undefined && about !== 'person',
  });
}

function Entries({ entity, about, id }: EntriesProps) {
  const say = useWords();
  const { data: deal } = useQuery(entityQuery('deal'));
  const found = useInfiniteQuery(
    listQuery(entity, { filter: activitiesOf(about, id), sort: ['-occurred_at'], limit: 20 }),
  );
  const rows = found.data?.pages.flatMap(({ items }) => items) ?? [];
  // Moves that are older than what is shown come with the activities around them.
  const oldest = found.hasNextPage ? String(rows.at(-1)?.occurred_at ?? '') || null : null;
  const moves = useMoves(about, id, oldest);
  const labels = Object.assign(
    {},
    moves.data?.labels,
    ...(found.data?.pages ?? []).map((page) => page.labels),
  );
  if (found.isError && !found.data) {
    return <ProblemState error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!found.data) {
    return <Skeleton className="h-24 rounded-md" />;
  }
  const entries = [
    ...rows.map((row) => ({ at: String(row.occurred_at), row, isMove: false })),
    ...(moves.data?.items ?? []).map((row) => ({ at: String(row.created_at), row, isMove: true })),
  ].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return (
    <>
      {entries.length === 0 && <p className="text-muted-foreground">{say('timeline.empty')}</p>}
      <ol className="flex flex-col">
        {entries.map(({ row, isMove }) =>
          isMove ? (
            <Move key={row.id} move={row} labels={labels} deal={deal} />
          ) : (
            <Entry key={row.id} entity={entity} activity={row} labels={labels} />
          ),
        )}
      </ol>
      {found.hasNextPage && (
        <Button
          variant="ghost"
          className="self-start"
          disabled={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          {say('board.more')}
        </Button>
      )}
    </>
  );
}

/** On the page of a record that activities lead to by a link of its name. */
export function Timeline() {
  const say = useWords();
  const { entity: about, page } = useRecordSession();
  const { data: entity } = useQuery(entityQuery('activity'));
  const client = useQueryClient();
  const [noting, setNoting] = useState<string | null>(null);
  if (!entity) {
    return null;
  }
  const { record } = page;
  const type = fieldNamed(entity, 'type');
  const options = type && 'options' in type ? type.options : [];
  const title = about.title_field ? String(record[about.title_field] ?? '') : '';
  return (
    <section aria-labelledby="crm-timeline" className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <h2 id="crm-timeline" className="mr-auto font-semibold">
          {say('timeline.title')}
        </h2>
        {entity.can.create &&
          NOTED.map((kind) => {
            const Sign = ICONS[kind] ?? Handshake;
            return (
              <Button key={kind} onClick={() => setNoting(kind)}>
                <Sign aria-hidden /> {options.find(({ value }) => value === kind)?.label ?? kind}
              </Button>
            );
          })}
      </div>
      <Entries entity={entity} about={about.name} id={record.id} />
      {noting !== null && (
        <Suspense>
          <CreateDialog
            entity={entity}
            initial={{ type: noting, [about.name]: record.id }}
            labels={{ [record.id]: title }}
            onClose={() => setNoting(null)}
            onCreated={() => {
              setNoting(null);
              void client.invalidateQueries({ queryKey: ['records'] });
            }}
          />
        </Suspense>
      )}
    </section>
  );
}
