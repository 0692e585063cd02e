/** One stage of the board: its deals, what they come to, and what is to be expected of them. */
import { useDroppable } from '@dnd-kit/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { BoardColumn, Owner } from '@/api/crm';
import { listQuery } from '@/api/records';
import type { Condition, EntityMeta, RecordData } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { formatMoney } from '@/reader/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Skeleton } from '@/ui/skeleton';
import { isRotting } from './board';
import { DealCard } from './DealCard';
import { Amounts } from './figures';
import { useWords } from './words';

/** Cards read at a time. */
const CARDS = 30;
const FIELDS = [
  'number',
  'title',
  'organisation',
  'owner',
  'stage',
  'montant',
  'currency',
  'expected_close',
  'stage_since',
  'last_activity_at',
  'next_activity_at',
];

/** The deals of a stage; what is being decided by its date, what was decided the newest first. */
function columnQuery(entity: EntityMeta, stage: string, open: boolean, owner: Owner) {
  const here: Condition = { field: 'stage', op: 'eq', value: stage };
  const mine: Condition = { field: 'owner', op: 'eq', value: '@me' };
  return listQuery(entity, {
    fields: FIELDS,
    filter: owner === 'me' ? { all: [here, mine] } : here,
    sort: [open ? 'expected_close' : '-stage_since'],
    limit: CARDS,
  });
}

interface ColumnProps {
  entity: EntityMeta;
  column: BoardColumn;
  currency: string;
  pause: boolean;
  owner: Owner;
  now: number;
  onMove: (deal: RecordData, to: string) => void;
}

export function Column({ entity, column, currency, pause, owner, now, onMove }: ColumnProps) {
  const say = useWords();
  const { language } = useReader();
  const open = column.rotting_days !== null;
  const deals = useInfiniteQuery(columnQuery(entity, column.stage, open, owner));
  const { setNodeRef, isOver } = useDroppable({ id: column.stage });
  const state = entity.states.find(({ value }) => value === column.stage);
  const label = state?.label ?? column.stage;
  const rows = deals.data?.pages.flatMap(({ items }) => items) ?? [];
  const labels = Object.assign({}, ...(deals.data?.pages ?? []).map((page) => page.labels));
  return (
    <section
      ref={setNodeRef}
      aria-label={say('board.column', { stage: label, count: column.count })}
      data-stage={column.stage}
      className={cn(
        'flex max-h-full w-72 shrink-0 snap-start flex-col rounded-lg border bg-surface max-sm:w-[85vw]',
        isOver && 'outline-2 outline-accent',
      )}
    >
      <header className="flex flex-col gap-0.5 border-b p-2.5">
        <h2 className="flex items-center gap-2">
          <Badge color={state?.color} dot>
            {label}
          </Badge>
          <span className="font-medium tabular-nums">{column.count}</span>
          {column.rotting > 0 && (
            <span className="ml-auto text-xs text-muted-foreground">
              {say('board.rotting_count', { count: column.rotting })}
            </span>
          )}
        </h2>
        <div className="font-medium">
          <Amounts sum={column} />
        </div>
        {open && (
          <div className="text-muted-foreground tabular-nums">
            {say('board.weighted', { amount: formatMoney(column.weighted, currency, language, 2) })}
          </div>
        )}
      </header>
      {/* A region that scrolls is reached by the keyboard also when nothing in it is. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: see above */}
      <ul tabIndex={0} aria-label={label} className="flex min-h-24 flex-1 flex-col gap-2 overflow-y-auto p-2">
        {deals.isPending && <Skeleton className="h-20 rounded-md" />}
        {deals.isError && !deals.data && (
          <li>
            <ProblemState error={deals.error} onRetry={() => void deals.refetch()} />
          </li>
        )}
        {rows.map((deal) => (
          <DealCard
            key={deal.id}
            entity={entity}
            deal={deal}
            labels={labels}
            rotting={isRotting(deal, { days: column.rotting_days, pause, now })}
            now={now}
            onMove={onMove}
          />
        ))}
        {deals.data && rows.length === 0 && (
          <li className="p-2 text-center text-muted-foreground">{say('board.empty')}</li>
        )}
        {deals.hasNextPage && (
          <li>
            <Button
              variant="ghost"
              disabled={deals.isFetchingNextPage}
              onClick={() => void deals.fetchNextPage()}
            >
              {say('board.more')}
            </Button>
          </li>
        )}
      </ul>
    </section>
  );
}
