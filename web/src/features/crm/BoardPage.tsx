/** The pipeline: a column for each stage, deals that are dragged from one to the next. */
import {
  DndContext,
  type DragEndEvent,
  PointerSensor,
  TouchSensor,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { boardQuery, type Owner } from '@/api/crm';
import { entityQuery } from '@/api/meta';
import { isProblem } from '@/api/problem';
import { updateRecord } from '@/api/records';
import type { EntityMeta, RecordData } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { failed, told } from '@/feedback/toasts';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';
import { type Asked, askedFor } from './board';
import { Column } from './Column';
import { MoveDialog } from './MoveDialog';
import { Whose } from './Whose';
import { useWords } from './words';

const CreateDialog = lazy(() =>
  import('@/records/form/CreateDialog').then(({ CreateDialog }) => ({ default: CreateDialog })),
);

/** A move that waits for its reason. */
interface Waiting {
  deal: RecordData;
  to: string;
  asked: Asked;
}

/** Moves a deal, and asks first where a reason is needed. */
function useMove(entity: EntityMeta) {
  const say = useWords();
  const client = useQueryClient();
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const [pending, setPending] = useState(false);

  const send = async (deal: RecordData, to: string, fields: Record<string, unknown>) => {
    const stage = entity.states.find(({ value }) => value === to)?.label ?? to;
    const title = String(deal.title ?? deal.number ?? '');
    setPending(true);
    try {
      await updateRecord(entity, deal.id, deal.version, { stage: to, ...fields });
      setWaiting(null);
      told(say('board.moved', { title, stage }));
    } catch (error) {
      const why = isProblem(error) ? (error.document.errors?.[0]?.message ?? error.message) : String(error);
      if (Object.keys(fields).length > 0) {
        setRefused(why);
      } else {
        failed(say('board.not_moved'), why);
      }
    } finally {
      setPending(false);
      void client.invalidateQueries({ queryKey: ['records', 'deal'] });
    }
  };

  const move = (deal: RecordData, to: string) => {
    const from = String(deal.stage);
    if (from === to) {
      return;
    }
    const asked = askedFor(from, to);
    setRefused(null);
    if (asked) {
      setWaiting({ deal, to, asked });
    } else {
      void send(deal, to, {});
    }
  };
  return { move, send, waiting, setWaiting, refused, pending };
}

function Board({ entity, owner }: { entity: EntityMeta; owner: Owner }) {
  const board = useQuery(boardQuery(owner));
  const { move, send, waiting, setWaiting, refused, pending } = useMove(entity);
  // A click stays a click; a finger that rests takes the card, one that moves scrolls.
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 6 } }),
    useSensor(TouchSensor, { activationConstraint: { delay: 250, tolerance: 8 } }),
  );
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    const deal = active.data.current?.deal as RecordData | undefined;
    if (deal && over) {
      move(deal, String(over.id));
    }
  };
  if (board.isError && !board.data) {
    return <ProblemState error={board.error} onRetry={() => void board.refetch()} />;
  }
  if (!board.data) {
    return <Skeleton className="m-4 h-64 rounded-lg" />;
  }
  const { columns, currency, pause_if_next_activity: pause } = board.data;
  const now = Date.now();
  return (
    <DndContext sensors={sensors} onDragEnd={onDragEnd}>
      <div className="flex min-h-0 flex-1 snap-x gap-3 overflow-x-auto p-4 pt-0">
        {columns.map((column) => (
          <Column
            key={column.stage}
            entity={entity}
            column={column}
            currency={currency}
            pause={pause}
            owner={owner}
            now={now}
            onMove={move}
          />
        ))}
      </div>
      {waiting && (
        <MoveDialog
          key={`${waiting.deal.id} ${waiting.to}`}
          entity={entity}
          stage={entity.states.find(({ value }) => value === waiting.to)?.label ?? waiting.to}
          asked={waiting.asked}
          refused={refused}
          pending={pending}
          onMove={(fields) => void send(waiting.deal, waiting.to, fields)}
          onClose={() => setWaiting(null)}
        />
      )}
    </DndContext>
  );
}

export function BoardPage() {
  const say = useWords();
  const entity = useQuery(entityQuery('deal'));
  const client = useQueryClient();
  const [owner, setOwner] = useState<Owner>(undefined);
  const [creating, setCreating] = useState(false);
  if (entity.isError && !entity.data) {
    return <ProblemState error={entity.error} onRetry={() => void entity.refetch()} />;
  }
  return (
    <div className="flex h-full min-h-0 flex-col">
      <header className="flex flex-wrap items-center gap-2 p-4">
        <h1 className="text-xl font-semibold">{say('board.title')}</h1>
        <Whose
          mine={owner === 'me'}
          words={[say('board.mine'), say('board.everyone')]}
          label={say('board.title')}
          onChange={(mine) => setOwner(mine ? 'me' : undefined)}
        />
        {entity.data?.can.create && (
          <Button variant="primary" className="ml-auto" onClick={() => setCreating(true)}>
            <Plus aria-hidden /> {say('board.new')}
          </Button>
        )}
        <p className="w-full text-muted-foreground">
          {say('board.hint')}. <span className="pointer-coarse:hidden">{say('board.keys')}.</span>
        </p>
      </header>
      {entity.data ? (
        <Board entity={entity.data} owner={owner} />
      ) : (
        <Skeleton className="m-4 h-64 rounded-lg" />
      )}
      {creating && entity.data && (
        <Suspense>
          <CreateDialog
            entity={entity.data}
            onClose={() => setCreating(false)}
            onCreated={() => {
              setCreating(false);
              void client.invalidateQueries({ queryKey: ['records', 'deal'] });
            }}
          />
        </Suspense>
      )}
    </div>
  );
}
