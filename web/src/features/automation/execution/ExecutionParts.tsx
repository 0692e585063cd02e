/** One execution: what set it off, what held and what did not, and each step with what it was given and gave. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleAlert, CircleX, RotateCcw, SkipForward } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { entityQuery, fieldNamed } from '@/api/meta';
import { recordKeys } from '@/api/records';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { cancelExecution, type Execution, executionQuery, isGoingOn, mendExecution } from '@/api/workflows';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { useReader } from '@/reader/context';
import { formatDateTime, formatDuration } from '@/reader/format';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { useTitles } from '@/records/link/search';
import { ConfirmDialog } from '@/records/record/questions';
import { useRecordSession } from '@/records/record/session';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';
import { About } from '../about';
import { useStepLabel } from '../rule/Steps';
import { type StepDone, stepsDone } from './steps';
import { Verdicts } from './Verdicts';
import { readVerdict } from './verdict';

function useExecution() {
  const { page } = useRecordSession();
  return useQuery(executionQuery(String(page.record.workflow ?? ''), page.record.id));
}

function Choice({
  field,
  value,
  entity,
}: {
  field: FieldMeta | undefined;
  value: unknown;
  entity: EntityMeta;
}) {
  return field ? (
    <FieldDisplay field={field} value={value} variant="line" labels={{}} states={entity.states} />
  ) : null;
}

export function ExecutionActions() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { entity, page } = useRecordSession();
  const { data } = useExecution();
  const [asking, setAsking] = useState(false);
  const [leavingOut, setLeavingOut] = useState(false);
  const status = data?.status ?? page.record.status;
  const attention = data?.attention ?? page.record.attention;
  const cancel = async () => {
    setAsking(false);
    try {
      await cancelExecution(page.record.id);
      told(t('automation.execution.cancelled'));
    } catch (error) {
      failed(t('automation.execution.not_cancelled'), problemText(error, t));
    }
    await client.invalidateQueries({ queryKey: [...recordKeys.all, entity.name] });
  };
  const mend = async (how: 'retry' | 'skip') => {
    setLeavingOut(false);
    try {
      await mendExecution(String(page.record.workflow ?? ''), page.record.id, how);
      told(t(`automation.execution.${how}_done`));
    } catch (error) {
      failed(t('automation.execution.not_mended'), problemText(error, t));
    }
    await client.invalidateQueries({ queryKey: [...recordKeys.all, entity.name] });
  };
  const stands = status === 'FAILED' || (status === 'WAITING' && attention === 'unknown_outcome');
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5" aria-live="polite">
      <Choice field={fieldNamed(entity, 'status')} value={status} entity={entity} />
      {attention !== null && (
        <Choice field={fieldNamed(entity, 'attention')} value={attention} entity={entity} />
      )}
      <About entity={page.record.entity} record={page.record.record} subject={page.record.subject} />
      {data?.progress && isGoingOn(status) && (
        <span className="text-muted-foreground">{t('automation.approval.stage', { ...data.progress })}</span>
      )}
      {stands && (
        <>
          <Button onClick={() => void mend('retry')}>
            <RotateCcw aria-hidden /> {t('automation.execution.retry')}
          </Button>
          <Button onClick={() => setLeavingOut(true)}>
            <SkipForward aria-hidden /> {t('automation.execution.skip')}
          </Button>
        </>
      )}
      {leavingOut && (
        <ConfirmDialog
          title={t('automation.execution.skip_title')}
          text={t('automation.execution.skip_help')}
          verb={t('automation.execution.skip')}
          danger
          onConfirm={() => void mend('skip')}
          onClose={() => setLeavingOut(false)}
        />
      )}
      {isGoingOn(status) && (
        <Button onClick={() => setAsking(true)}>
          <CircleX aria-hidden /> {t('automation.execution.cancel')}
        </Button>
      )}
      {asking && (
        <ConfirmDialog
          title={t('automation.execution.cancel_title')}
          text={t('automation.execution.cancel_help')}
          verb={t('automation.execution.cancel')}
          danger
          onConfirm={() => void cancel()}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h2 className="mb-2 font-semibold">{title}</h2>
      {children}
    </section>
  );
}

/** What set it off: who, when, which fields; the rest as it came. */
function TriggerFacts({ execution }: { execution: Execution }) {
  const { t } = useTranslation();
  const { language, timeZone } = useReader();
  const { data: target } = useQuery({
    ...entityQuery(execution.entity ?? ''),
    enabled: execution.entity !== null,
  });
  const {
    type,
    by,
    at,
    changed,
    source,
    entity: _entity,
    record: _record,
    ...rest
  } = (execution.trigger ?? {}) as Record<string, unknown>;
  const who = typeof by === 'string' ? by : null;
  const people = useTitles('user', who === null ? [] : [who]);
  const fields = (Array.isArray(changed) ? changed : []).map(
    (name) => target?.fields.find((field) => field.name === name)?.label ?? String(name),
  );
  const known: [string, ReactNode][] = [
    [
      t('automation.facts.what'),
      t([`automation.event.record_${String(type)}`, `automation.event.${String(type)}`], {
        defaultValue: String(type),
      }),
    ],
    ...(who === null ? [] : [[t('automation.facts.by'), people[who] ?? '…'] as [string, ReactNode]]),
    ...(typeof at === 'string'
      ? [[t('automation.facts.at'), formatDateTime(at, language, timeZone)] as [string, ReactNode]]
      : []),
    ...(fields.length > 0 ? [[t('automation.facts.changed'), fields.join(', ')] as [string, ReactNode]] : []),
    ...(typeof source === 'string' ? [[t('automation.facts.source'), source] as [string, ReactNode]] : []),
  ];
  return (
    <>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
        {known.map(([term, value]) => (
          <div key={term} className="contents">
            <dt className="text-muted-foreground">{term}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
      </dl>
      {Object.keys(rest).length > 0 && <Data label={t('automation.facts.more')} value={rest} />}
    </>
  );
}

function Data({ label, value }: { label: string; value: unknown }) {
  if (value === null || value === undefined) {
    return null;
  }
  return (
    <details className="mt-1">
      <summary className="cursor-pointer text-muted-foreground">{label}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is too wide is scrolled by the arrows */}
      <pre tabIndex={0} className="mt-1 max-h-80 overflow-auto rounded-md border bg-surface p-2 text-xs">
        {typeof value === 'string' ? value : JSON.stringify(value, null, 2)}
      </pre>
    </details>
  );
}

function duration(step: StepDone): number | null {
  return step.endedAt === null ? null : (Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000;
}

function OneStep({
  step,
  place,
  stepRun,
}: {
  step: StepDone;
  place: number;
  stepRun: EntityMeta | undefined;
}) {
  const { t } = useTranslation();
  const { language, timeZone } = useReader();
  const labelOf = useStepLabel();
  const took = duration(step);
  const kind = step.kind === 'approval' ? 'request_approval' : step.kind;
  const title = step.name || labelOf(kind);
  const milliseconds = new Intl.NumberFormat(language, { style: 'unit', unit: 'millisecond' });
  return (
    <li aria-label={t('automation.step_of', { place, title })} className="rounded-md border p-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="mr-auto min-w-0 font-semibold">
          <span className="mr-2 text-muted-foreground tabular-nums">{place}</span>
          {title}
          {step.place.includes('/') && (
            <code className="ml-2 text-xs font-normal text-muted-foreground">{step.place}</code>
          )}
        </h3>
        {stepRun && <Choice field={fieldNamed(stepRun, 'status')} value={step.status} entity={stepRun} />}
      </div>
      <p className="flex flex-wrap gap-x-3 text-xs text-muted-foreground">
        <span>{formatDateTime(step.startedAt, language, timeZone)}</span>
        {took !== null && (
          <span>
            {took < 1
              ? milliseconds.format(Math.max(0, Math.round(took * 1000)))
              : formatDuration(Math.round(took), language)}
          </span>
        )}
        {step.attempt > 1 && <span>{t('automation.execution.tries', { count: step.attempt })}</span>}
      </p>
      {step.error && (
        <p className="mt-1 flex items-start gap-1.5 break-words text-danger">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" /> {step.error}
        </p>
      )}
      {step.retries.map((run) => (
        <p key={run.id} className="mt-1 break-words text-muted-foreground">
          {t('automation.execution.failed_try', { number: run.attempt ?? 1, error: run.error ?? '' })}
        </p>
      ))}
      <Data label={t('automation.execution.input')} value={step.input} />
      <Data label={t('automation.execution.output')} value={step.output} />
    </li>
  );
}

/** The fields of the page are read again when the execution has ended: it says nothing by itself. */
function useEndSeen(status: string | undefined) {
  const client = useQueryClient();
  const { entity, page } = useRecordSession();
  const changed = status !== undefined && status !== page.record.status;
  useEffect(() => {
    if (changed) {
      void client.invalidateQueries({ queryKey: recordKeys.record(entity.name, page.record.id) });
    }
  }, [changed, client, entity.name, page.record.id]);
}

export function ExecutionBody() {
  const { t } = useTranslation();
  const { language, timeZone } = useReader();
  const { data, error, isError, refetch } = useExecution();
  const { data: stepRun } = useQuery(entityQuery('step_run'));
  useEndSeen(data?.status);
  if (!data) {
    return isError ? (
      <ProblemState error={error} onRetry={() => void refetch()} />
    ) : (
      <Skeleton className="h-64 rounded-md" />
    );
  }
  const verdict = readVerdict(data.conditions);
  const steps = stepsDone(data.steps);
  return (
    <div className="flex flex-col gap-5">
      {data.error && (
        <p role="alert" className="flex items-start gap-2 rounded-md bg-danger-surface px-3 py-2 text-danger">
          <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span className="min-w-0 break-words">{data.error}</span>
        </p>
      )}
      <Section title={t('automation.execution.trigger')}>
        <TriggerFacts execution={data} />
      </Section>
      <Section title={t('automation.execution.conditions')}>
        {verdict ? (
          <Verdicts verdict={verdict} entity={data.entity ?? undefined} />
        ) : (
          <p className="text-muted-foreground">{t('automation.execution.no_conditions')}</p>
        )}
      </Section>
      <Section title={t('automation.execution.steps')}>
        {steps.length === 0 ? (
          <p className="text-muted-foreground">{t('automation.execution.no_steps')}</p>
        ) : (
          <ol className="flex flex-col gap-2">
            {steps.map((step, at) => (
              <OneStep key={step.place} step={step} place={at + 1} stepRun={stepRun} />
            ))}
          </ol>
        )}
        {data.status === 'WAITING' && data.wake_at && (
          <p className="mt-2 text-muted-foreground">
            {t('automation.execution.wakes', { moment: formatDateTime(data.wake_at, language, timeZone) })}
          </p>
        )}
      </Section>
    </div>
  );
}
