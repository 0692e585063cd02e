/** One request, as the person who made it follows it. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowLeft, Check } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { fieldNamed } from '@/api/meta';
import { recordQuery } from '@/api/records';
import type { EntityMeta, Me, RecordPage } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { useFreshRecord } from '@/records/live/record';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Skeleton } from '@/ui/skeleton';
import { Conversation } from './Conversation';
import { categoryOf, stepOf } from './words';

const STEPS = ['received', 'working', 'settled'] as const;

/** The way of a request, and where on it this one is. */
function Way({ step }: { step: 0 | 1 | 2 }) {
  const { t } = useTranslation();
  return (
    <ol className="flex items-center gap-2">
      {STEPS.map((name, at) => (
        <li
          key={name}
          aria-current={at === step ? 'step' : undefined}
          className={cn(
            'flex min-w-0 items-center gap-1.5',
            at === step ? 'font-semibold' : 'text-muted-foreground',
            at > 0 && 'before:h-px before:w-4 before:bg-control sm:before:w-10',
          )}
        >
          <span
            aria-hidden
            className={cn(
              'grid size-5 shrink-0 place-items-center rounded-full border text-xs',
              at <= step ? 'border-accent bg-accent text-accent-foreground' : 'border-control',
            )}
          >
            {at < step || step === 2 ? <Check className="size-3" strokeWidth={3} /> : at + 1}
          </span>
          <span className="truncate">{t(`self_service.step_${name}`)}</span>
        </li>
      ))}
    </ol>
  );
}

function Standing({ entity, page }: { entity: EntityMeta; page: RecordPage }) {
  const { t } = useTranslation();
  const { record, labels } = page;
  const category = categoryOf(entity, record);
  const assignee = typeof record.assignee === 'string' ? labels[record.assignee] : undefined;
  const state = entity.state_field === null ? undefined : fieldNamed(entity, entity.state_field);
  const due = fieldNamed(entity, 'due_at');
  const resolution = typeof record.resolution === 'string' ? record.resolution : null;
  return (
    <section aria-label={t('self_service.standing')} className="flex flex-col gap-2.5 rounded-lg border p-4">
      <Way step={stepOf(category)} />
      <p role="status" className="text-base">
        {category === 'active' && assignee
          ? t('self_service.someone_works', { name: assignee })
          : t(`self_service.is_${category}`)}
      </p>
      {resolution && (
        <p className="rounded-md bg-surface px-3 py-2 break-words whitespace-pre-wrap">{resolution}</p>
      )}
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-muted-foreground">
        {state && (
          <FieldDisplay
            field={state}
            value={record[state.name]}
            variant="line"
            labels={labels}
            states={entity.states}
          />
        )}
        {due && typeof record.due_at === 'string' && stepOf(category) < 2 && (
          <span className="inline-flex gap-1">
            {t('self_service.due')}
            <FieldDisplay field={due} value={record.due_at} variant="line" labels={labels} states={[]} />
          </span>
        )}
      </p>
    </section>
  );
}

interface RequestPageProps {
  entity: EntityMeta;
  me: Me;
  /** Its number, or its id. */
  reference: string;
}

export function RequestPage({ entity, me, reference }: RequestPageProps) {
  const { t } = useTranslation();
  const { data, error, isError, refetch } = useQuery(recordQuery(entity, reference));
  useFreshRecord(entity, reference, data?.record.id);
  const back = (
    <Link
      to="/p/$page"
      params={{ page: 'self-service' }}
      className="inline-flex min-h-7 items-center gap-1.5 self-start text-muted-foreground hover:text-foreground pointer-coarse:min-h-11"
    >
      <ArrowLeft aria-hidden className="size-4" /> {t('self_service.back')}
    </Link>
  );
  if (!data) {
    return (
      <div className="mx-auto flex max-w-2xl flex-col gap-4 p-4 sm:p-6">
        {back}
        {isError ? (
          <ProblemState
            error={error}
            onRetry={() => void refetch()}
            actions={
              <Button asChild>
                <Link to="/p/$page" params={{ page: 'self-service' }}>
                  {t('self_service.back')}
                </Link>
              </Button>
            }
          />
        ) : (
          <Skeleton className="h-64 rounded-lg" />
        )}
      </div>
    );
  }
  const { record } = data;
  return (
    <div className="flex h-full flex-col">
      <div className="min-h-0 flex-1 overflow-y-auto">
        <div className="mx-auto flex max-w-2xl flex-col gap-4 p-4 sm:p-6">
          {back}
          <header>
            <p className="text-muted-foreground tabular-nums">{String(record.number ?? '')}</p>
            <h1 className="text-xl font-semibold break-words">{String(record.title ?? '')}</h1>
          </header>
          <Standing entity={entity} page={data} />
          <Conversation entity={entity} page={data} me={me} />
        </div>
      </div>
    </div>
  );
}
