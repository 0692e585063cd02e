import { X } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta } from '@/api/types';
import { useReader } from '@/reader/context';
import { useTitles } from '@/records/link/search';
import { Button } from '@/ui/button';
import { Popover, PopoverContent, PopoverTrigger } from '@/ui/popover';
import { Skeleton } from '@/ui/skeleton';
import { type Clause, isComplete } from './model';
import { clauseWords, linkedIds } from './sentence';

interface ClauseChipProps {
  entity: EntityMeta;
  clause: Clause;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onChange: (clause: Clause) => void;
  onRemove: () => void;
}

const ClauseEditor = lazy(() =>
  import('./ClauseEditor').then(({ ClauseEditor }) => ({ default: ClauseEditor })),
);

export function ClauseChip({ entity, clause, open, onOpenChange, onChange, onRemove }: ClauseChipProps) {
  const { t } = useTranslation();
  const reader = useReader();
  const field = entity.fields.find(({ name }) => name === clause.field);
  const target = field?.type === 'link' || field?.type === 'links' ? field.to : '';
  const titles = useTitles(target, target === '' ? [] : linkedIds(clause));
  const words = clauseWords(clause, { entity, titles, reader, t });
  return (
    <span className="inline-flex max-w-full shrink-0 items-center rounded-md border bg-background">
      <Popover open={open} onOpenChange={onOpenChange}>
        <PopoverTrigger className="control flex max-w-96 items-center gap-1 rounded-r-none pl-2 hover:bg-hover">
          <span className="shrink-0 text-muted-foreground">{words.field}</span>{' '}
          <span className="shrink-0 text-muted-foreground">{words.operator}</span>{' '}
          {isComplete(clause) ? (
            <span className="truncate font-medium">{words.value}</span>
          ) : (
            <span className="text-muted-foreground">…</span>
          )}
        </PopoverTrigger>
        <PopoverContent aria-label={words.field}>
          <Suspense fallback={<Skeleton className="h-24" />}>
            <ClauseEditor
              entity={entity}
              clause={clause}
              onChange={onChange}
              onDone={() => onOpenChange(false)}
            />
          </Suspense>
        </PopoverContent>
      </Popover>
      <Button
        variant="ghost"
        className="w-6 rounded-l-none px-0 text-muted-foreground"
        aria-label={t('filter.remove', { text: `${words.field} ${words.operator} ${words.value}` })}
        onClick={onRemove}
      >
        <X aria-hidden className="size-3.5" />
      </Button>
    </span>
  );
}
