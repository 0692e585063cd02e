/** What there is to do, by when: late first, then today, this week, later, some day. */
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ListTodo, Plus, Table } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { entityQuery, fieldNamed } from '@/api/meta';
import { isProblem } from '@/api/problem';
import { listQuery, updateRecord } from '@/api/records';
import type { Condition, EntityMeta, Labels, RecordData } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { failed, told } from '@/feedback/toasts';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Checkbox } from '@/ui/checkbox';
import { EmptyState } from '@/ui/empty-state';
import { Skeleton } from '@/ui/skeleton';
import { Whose } from './Whose';
import { useWords } from './words';

const CreateDialog = lazy(() =>
  import('@/records/form/CreateDialog').then(({ CreateDialog }) => ({ default: CreateDialog })),
);

const OPEN: Condition = { field: 'status', op: 'in', value: ['todo', 'in_progress'] };
const MINE: Condition = { field: 'assignee', op: 'eq', value: '@me' };

/** Each task is in one of these. Days begin where the reader is: the server knows. */
const PARTS: { name: 'overdue' | 'today' | 'week' | 'later' | 'undated'; when: Condition[] }[] = [
  { name: 'overdue', when: [{ field: 'due_date', op: 'lt', value: '@today' }] },
  { name: 'today', when: [{ field: 'due_date', op: 'eq', value: '@today' }] },
  {
    name: 'week',
    when: [
      { field: 'due_date', op: 'gt', value: '@today' },
      { field: 'due_date', op: 'lt', value: '@week+1w' },
    ],
  },
  {
    name: 'later',
    when: [
      { field: 'due_date', op: 'gt', value: '@today' },
      { field: 'due_date', op: 'gte', value: '@week+1w' },
    ],
  },
  { name: 'undated', when: [{ field: 'due_date', op: 'is_empty', value: true }] },
];

interface RowProps {
  entity: EntityMeta;
  task: RecordData;
  labels: Labels;
}

const SHOWN = ['priority', 'due_date', 'about', 'organisation', 'assignee'];

function Row({ entity, task, labels }: RowProps) {
  const say = useWords();
  const client = useQueryClient();
  const [pending, setPending] = useState(false);
  const title = String(task.title ?? '');
  const set = async (version: number, status: string) => {
    const saved = await updateRecord(entity, task.id, version, { status });
    void client.invalidateQueries({ queryKey: ['records', entity.name] });
    return saved;
  };
  const finish = async () => {
    setPending(true);
    try {
      const saved = await set(task.version, 'done');
      told(say('tasks.finished', { title }), {
        label: say('tasks.reopen'),
        run: () => void set(saved.record.version, 'todo'),
      });
    } catch (error) {
      failed(say('tasks.not_finished'), isProblem(error) ? error.message : undefined);
      setPending(false);
    }
  };
  // Of what a task is about its organisation says nothing new.
  const about = task.about as { id?: string } | null;
  const names = SHOWN.filter((name) => name !== 'organisation' || about?.id !== task.organisation);
  return (
    <li className="flex items-start gap-2 rounded-md border bg-background p-2.5">
      <Checkbox
        className="mt-0.5"
        checked={pending}
        disabled={pending}
        aria-label={say('tasks.done', { title })}
        onCheckedChange={() => void finish()}
      />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-1">
        <Link
          to="/r/$collection/$id"
          params={{ collection: entity.collection, id: task.id }}
          className="mr-auto min-w-0 font-medium break-words hover:underline"
        >
          {title}
        </Link>
        {names.map((name) => {
          const field = fieldNamed(entity, name);
          return field && task[name] !== null && task[name] !== undefined ? (
            <span key={name} className="min-w-0 truncate text-muted-foreground">
              <FieldDisplay
                field={field}
                value={task[name]}
                variant="line"
                labels={labels}
                states={entity.states}
              />
            </span>
          ) : null;
        })}
      </div>
    </li>
  );
}

interface PartProps {
  entity: EntityMeta;
  name: (typeof PARTS)[number]['name'];
  filter: Condition;
}

function usePart(entity: EntityMeta, filter: Condition) {
  return useInfiniteQuery(listQuery(entity, { filter, sort: ['due_date'], limit: 50 }));
}

function Part({ entity, name, filter }: PartProps) {
  const say = useWords();
  const tasks = usePart(entity, filter);
  const rows = tasks.data?.pages.flatMap(({ items }) => items) ?? [];
  const labels = Object.assign({}, ...(tasks.data?.pages ?? []).map((page) => page.labels));
  const total = tasks.data?.pages[0]?.total ?? rows.length;
  if (tasks.isError && !tasks.data) {
    return <ProblemState error={tasks.error} onRetry={() => void tasks.refetch()} />;
  }
  if (tasks.isPending) {
    return <Skeleton className="h-16 rounded-md" />;
  }
  if (rows.length === 0) {
    return null;
  }
  return (
    <section aria-labelledby={`tasks-${name}`} data-part={name}>
      <h2 id={`tasks-${name}`} className="mb-2 flex items-center gap-2 font-semibold">
        {say(`tasks.${name}`)}
        <Badge color={name === 'overdue' ? 'red' : 'gray'}>{total}</Badge>
      </h2>
      <ul className="flex flex-col gap-2">
        {rows.map((task) => (
          <Row key={task.id} entity={entity} task={task} labels={labels} />
        ))}
      </ul>
      {tasks.hasNextPage && (
        <Button
          variant="ghost"
          className="mt-2"
          disabled={tasks.isFetchingNextPage}
          onClick={() => void tasks.fetchNextPage()}
        >
          {say('board.more')}
        </Button>
      )}
    </section>
  );
}

function Parts({ entity, mine }: { entity: EntityMeta; mine: boolean }) {
  const say = useWords();
  const all = [OPEN, ...(mine ? [MINE] : [])];
  const any = usePart(entity, { all });
  const empty = any.data?.pages[0]?.items.length === 0;
  return (
    <>
      {empty && (
        <EmptyState icon={<ListTodo aria-hidden />} title={say('tasks.nothing')}>
          {say('tasks.nothing_help')}
        </EmptyState>
      )}
      {PARTS.map(({ name, when }) => (
        <Part key={name} entity={entity} name={name} filter={{ all: [...all, ...when] }} />
      ))}
    </>
  );
}

export function TasksPage() {
  const say = useWords();
  const entity = useQuery(entityQuery('task'));
  const client = useQueryClient();
  const [mine, setMine] = useState(true);
  const [creating, setCreating] = useState(false);
  if (entity.isError && !entity.data) {
    return <ProblemState error={entity.error} onRetry={() => void entity.refetch()} />;
  }
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-4xl flex-col gap-6 p-4 sm:p-6">
        <header className="flex flex-wrap items-center gap-2">
          <h1 className="text-xl font-semibold">{entity.data?.label_plural ?? ''}</h1>
          <Whose
            mine={mine}
            words={[say('tasks.mine'), say('tasks.everyone')]}
            label={entity.data?.label_plural ?? ''}
            onChange={setMine}
          />
          <Button asChild className="ml-auto">
            <Link to="/r/$collection" params={{ collection: 'tasks' }}>
              <Table aria-hidden /> {entity.data?.label_plural ?? ''}
            </Link>
          </Button>
          {entity.data?.can.create && (
            <Button variant="primary" onClick={() => setCreating(true)}>
              <Plus aria-hidden /> {say('tasks.new')}
            </Button>
          )}
        </header>
        {entity.data ? <Parts entity={entity.data} mine={mine} /> : <Skeleton className="h-40 rounded-md" />}
      </div>
      {creating && entity.data && (
        <Suspense>
          <CreateDialog
            entity={entity.data}
            onClose={() => setCreating(false)}
            onCreated={() => {
              setCreating(false);
              void client.invalidateQueries({ queryKey: ['records', 'task'] });
            }}
          />
        </Suspense>
      )}
    </div>
  );
}
