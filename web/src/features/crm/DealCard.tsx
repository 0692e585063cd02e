/** One deal on the board: what it is worth, how long it has stood there, where else it may go. */
import { useDraggable } from '@dnd-kit/core';
import { Link } from '@tanstack/react-router';
import { Clock, EllipsisVertical, Hourglass } from 'lucide-react';
import type { KeyboardEvent } from 'react';
import type { EntityMeta, Labels, RecordData } from '@/api/types';
import { useReader } from '@/reader/context';
import { formatDate } from '@/reader/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Menu, MenuContent, MenuItem, MenuTrigger } from '@/ui/menu';
import { daysSince } from './board';
import { Money } from './figures';
import { useWords } from './words';

interface DealCardProps {
  entity: EntityMeta;
  deal: RecordData;
  labels: Labels;
  rotting: boolean;
  now: number;
  onMove: (deal: RecordData, to: string) => void;
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };

export function DealCard({ entity, deal, labels, rotting, now, onMove }: DealCardProps) {
  const say = useWords();
  const { language } = useReader();
  const { setNodeRef, listeners, transform, isDragging } = useDraggable({ id: deal.id, data: { deal } });
  const title = String(deal.title ?? deal.number ?? '');
  const age = daysSince(deal.stage_since, now);
  const named = (id: unknown) => (typeof id === 'string' ? labels[id] : undefined);
  const owner = named(deal.owner);
  const stages = entity.states.map(({ value }) => value);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.altKey ? STEPS[event.key] : undefined;
    const to = step === undefined ? undefined : stages[stages.indexOf(String(deal.stage)) + step];
    if (to !== undefined) {
      event.preventDefault();
      onMove(deal, to);
    }
  };
  return (
    <li
      ref={setNodeRef}
      {...listeners}
      onKeyDown={onKeyDown}
      data-deal={deal.id}
      style={transform ? { transform: `translate(${transform.x}px, ${transform.y}px)` } : undefined}
      className={cn(
        'relative flex touch-manipulation flex-col gap-1 rounded-md border bg-background p-2.5',
        rotting && 'border-l-4 border-l-danger',
        isDragging && 'z-30 cursor-grabbing shadow-lg',
      )}
    >
      <div className="flex items-start gap-1">
        <Link
          to="/r/$collection/$id"
          params={{ collection: entity.collection, id: deal.id }}
          draggable={false}
          aria-keyshortcuts="Alt+ArrowLeft Alt+ArrowRight"
          className="min-w-0 flex-1 font-medium break-words hover:underline"
        >
          {title}
        </Link>
        <Menu>
          <MenuTrigger asChild>
            <Button
              variant="ghost"
              size="icon"
              className="-mt-1 -mr-1"
              aria-label={say('board.move', { title })}
              onPointerDown={(event) => event.stopPropagation()}
            >
              <EllipsisVertical aria-hidden />
            </Button>
          </MenuTrigger>
          <MenuContent align="end">
            {entity.states
              .filter(({ value }) => value !== deal.stage)
              .map(({ value, label }) => (
                <MenuItem key={value} onSelect={() => onMove(deal, value)}>
                  {label}
                </MenuItem>
              ))}
          </MenuContent>
        </Menu>
      </div>
      {named(deal.organisation) && (
        <span className="truncate text-muted-foreground">{named(deal.organisation)}</span>
      )}
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        {typeof deal.montant === 'string' && (
          <span className="font-medium">
            <Money amount={deal.montant} currency={String(deal.currency ?? 'EUR')} />
          </span>
        )}
        {typeof deal.expected_close === 'string' && (
          <span className="text-muted-foreground">{formatDate(deal.expected_close, language)}</span>
        )}
      </div>
      <div className="flex flex-wrap items-center gap-1.5">
        {rotting && (
          <Badge color="red" mark={<Hourglass aria-hidden className="size-3" />}>
            {say('board.rotting')}
          </Badge>
        )}
        {age !== null && (
          <Badge mark={<Clock aria-hidden className="size-3" />}>{say('board.age', { count: age })}</Badge>
        )}
        {owner && <span className="ml-auto truncate text-xs text-muted-foreground">{owner}</span>}
      </div>
    </li>
  );
}
