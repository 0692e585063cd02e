/** Rules that modules bring ready to be taken: one click makes a draft of one's own and opens it. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { LayoutTemplate } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { recordKeys } from '@/api/records';
import { type ReadyWorkflow, readyWorkflowsQuery, takeReadyWorkflow } from '@/api/workflows';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { EmptyState } from '@/ui/empty-state';
import { Icon } from '@/ui/icon';
import { Skeleton } from '@/ui/skeleton';

function Choices({ onTake, pending }: { onTake: (ready: ReadyWorkflow) => void; pending: boolean }) {
  const { t } = useTranslation();
  const { data, error, isError, refetch } = useQuery(readyWorkflowsQuery);
  if (!data) {
    return isError ? (
      <ProblemState error={error} onRetry={() => void refetch()} />
    ) : (
      <Skeleton className="h-40 rounded-md" />
    );
  }
  if (data.items.length === 0) {
    return <EmptyState icon={<LayoutTemplate aria-hidden />} title={t('automation.ready.none')} />;
  }
  return (
    <ul className="flex flex-col gap-2">
      {data.items.map((ready) => (
        <li key={ready.id}>
          <button
            type="button"
            disabled={pending}
            aria-describedby={`ready-${ready.id}`}
            aria-label={ready.name}
            onClick={() => onTake(ready)}
            className="flex w-full items-start gap-3 rounded-md border p-3 text-left hover:bg-hover focus-visible:outline-2 focus-visible:outline-accent disabled:opacity-60"
          >
            <Icon name={ready.icon ?? 'workflow'} className="mt-0.5 size-5 shrink-0 text-muted-foreground" />
            <span className="min-w-0">
              <span className="block font-semibold">{ready.name}</span>
              <span id={`ready-${ready.id}`} className="block text-muted-foreground">
                {ready.description}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function ReadyWorkflows() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [pending, setPending] = useState(false);
  const take = async (ready: ReadyWorkflow) => {
    setPending(true);
    try {
      const { id } = await takeReadyWorkflow(ready.id);
      setOpen(false);
      told(t('automation.ready.taken', { name: ready.name }));
      await client.invalidateQueries({ queryKey: [...recordKeys.all, 'workflow'] });
      await navigate({ to: '/r/$collection/$id', params: { collection: 'workflows', id } });
    } catch (error) {
      failed(t('automation.ready.not_taken'), problemText(error, t));
    } finally {
      setPending(false);
    }
  };
  return (
    <>
      <Button aria-label={t('automation.ready.title')} onClick={() => setOpen(true)}>
        <LayoutTemplate aria-hidden />
        <span className="max-sm:hidden">{t('automation.ready.open')}</span>
      </Button>
      <Dialog open={open} onOpenChange={setOpen}>
        <DialogContent
          title={t('automation.ready.title')}
          description={t('automation.ready.help')}
          closeLabel={t('action.close')}
          bodyClassName="p-3"
        >
          <Choices onTake={(ready) => void take(ready)} pending={pending} />
        </DialogContent>
      </Dialog>
    </>
  );
}
