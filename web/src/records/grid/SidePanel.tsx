import { CatchBoundary } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';

const RecordPanel = lazy(() =>
  import('@/records/record/RecordPanel').then(({ RecordPanel }) => ({ default: RecordPanel })),
);

interface SidePanelProps {
  entity: EntityMeta;
  id: string | undefined;
  /** There is room for it; on a narrow screen a record is a page of its own. */
  wide: boolean;
  onClose: () => void;
}

function Placeholder() {
  return (
    <div className="flex flex-col gap-4 p-4">
      <Skeleton className="h-5 w-3/5" />
      <Skeleton className="h-4 w-2/5" />
      <Skeleton className="h-40 w-full" />
    </div>
  );
}

export function SidePanel({ entity, id, wide, onClose }: SidePanelProps) {
  const { t } = useTranslation();
  if (id === undefined || !wide) {
    return null;
  }
  return (
    <aside
      aria-label={t('grid.panel', { label: entity.label })}
      className="w-[46%] max-w-3xl min-w-96 shrink-0 overflow-y-auto border-l"
    >
      <CatchBoundary
        getResetKey={() => id}
        errorComponent={({ error, reset }) => (
          <ProblemState
            error={error}
            onRetry={reset}
            actions={<Button onClick={onClose}>{t('action.close')}</Button>}
          />
        )}
      >
        <Suspense fallback={<Placeholder />}>
          <RecordPanel key={id} collection={entity.collection} id={id} mode="panel" onClose={onClose} />
        </Suspense>
      </CatchBoundary>
    </aside>
  );
}
