/** A rule on its own page: whether it is in force, what it does, how it has done. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CirclePause, Play } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fieldNamed } from '@/api/meta';
import { recordKeys } from '@/api/records';
import { activateWorkflow, statsQuery } from '@/api/workflows';
import { told } from '@/feedback/toasts';
import { useReader } from '@/reader/context';
import { formatDuration, formatInteger } from '@/reader/format';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { fieldId } from '@/records/form/FormField';
import { useEditing, useRecordSession } from '@/records/record/session';
import { Button } from '@/ui/button';
import { ConditionGroup } from './Conditions';
import { ErrorText, useErrorsAt } from './errors';
import { isWhole, readConditions, readSteps, readTrigger, writeConditions } from './model';
import { Outline } from './Outline';
import { RunDialog } from './RunDialog';
import { Steps } from './Steps';
import { SubjectProvider, useSubjectOf } from './subject';
import { TriggerSentence } from './TriggerSentence';

/** What the rule is about, as it is being written. */
function useEntityOfRule(): string | undefined {
  const { edit } = useEditing();
  const { definition, format, trigger } = edit.values;
  const [first] = (definition as { triggers?: unknown[] } | null)?.triggers ?? [];
  const { entity } = readTrigger(isWhole({ format, definition }) ? first : trigger);
  return typeof entity === 'string' && entity !== '' ? entity : undefined;
}

function useActivation() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { entity, page } = useRecordSession();
  const { edit, errors, save } = useEditing();
  const [pending, setPending] = useState(false);
  const active = page.record.status === 'ACTIVE';
  const toggle = async () => {
    setPending(true);
    try {
      // What is put in force is what is on screen.
      if (edit.changed.length > 0 && !(await save.save())) {
        return;
      }
      await activateWorkflow(page.record.id, !active);
      errors.clear();
      told(t(active ? 'automation.deactivated' : 'automation.activated'));
    } catch (error) {
      errors.refuse(error);
    } finally {
      setPending(false);
      await client.invalidateQueries({ queryKey: [...recordKeys.all, entity.name] });
    }
  };
  return { active, toggle, pending: pending || save.pending };
}

export function WorkflowActions() {
  const { t } = useTranslation();
  const { entity, page } = useRecordSession();
  const about = useEntityOfRule();
  const { active, toggle, pending } = useActivation();
  const [running, setRunning] = useState(false);
  const { record, can, labels } = page;
  const status = fieldNamed(entity, 'status');
  const paused = typeof record.paused_reason === 'string' ? record.paused_reason : null;
  return (
    <div className="flex flex-col gap-2 print:hidden">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        {status && (
          <FieldDisplay
            field={status}
            value={record.status}
            variant="line"
            labels={labels}
            states={entity.states}
          />
        )}
        {can.edit && (
          <>
            <button
              type="button"
              role="switch"
              aria-checked={active}
              disabled={pending}
              onClick={() => void toggle()}
              className="group inline-flex min-h-7 items-center gap-2 rounded-md px-1 disabled:opacity-60 pointer-coarse:min-h-11"
            >
              <span
                aria-hidden
                className="relative h-4 w-7 rounded-full border border-control bg-hover transition-colors duration-100 group-aria-checked:border-accent group-aria-checked:bg-accent"
              >
                <span className="absolute top-px left-px size-3 rounded-full bg-muted-foreground transition-transform duration-100 group-aria-checked:translate-x-3 group-aria-checked:bg-accent-foreground" />
              </span>
              {t('automation.in_force')}
            </button>
            <Button disabled={!record.revision} onClick={() => setRunning(true)}>
              <Play aria-hidden /> {t('automation.run.open')}
            </Button>
          </>
        )}
      </div>
      {paused && (
        <p role="alert" className="flex items-start gap-2 rounded-md bg-danger-surface px-3 py-2 text-danger">
          <CirclePause aria-hidden className="mt-0.5 size-4 shrink-0" />
          {t('automation.paused', { reason: paused })}
        </p>
      )}
      {running && <RunDialog workflow={record.id} about={about} onClose={() => setRunning(false)} />}
    </div>
  );
}

function Stats() {
  const { t } = useTranslation();
  const { language } = useReader();
  const { page } = useRecordSession();
  const { data } = useQuery(statsQuery(page.record.id));
  if (!data || data.total === 0) {
    return null;
  }
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
  const { success_rate: rate, average_duration_seconds: seconds } = data;
  const figures: [string, string][] = [
    ['total', formatInteger(data.total, language)],
    ['success_rate', rate === null ? '–' : percent.format(rate)],
    ['average', seconds === null ? '–' : formatDuration(Math.round(seconds), language)],
    ['success', formatInteger(data.success, language)],
    ['failed', formatInteger(data.failed, language)],
    ['skipped', formatInteger(data.skipped, language)],
    ['going', formatInteger(data.running + data.waiting, language)],
  ];
  return (
    <section aria-label={t('automation.stats.title')}>
      <h2 className="mb-2 font-semibold">{t('automation.stats.title')}</h2>
      <dl className="flex flex-wrap gap-x-6 gap-y-2">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt className="text-xs text-muted-foreground">{t(`automation.stats.${name}`)}</dt>
            <dd className="text-base font-medium tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Rule() {
  const { t } = useTranslation();
  const { entity, prefix } = useRecordSession();
  const { edit, errors } = useEditing();
  const about = useEntityOfRule();
  const subject = useSubjectOf(about);
  const wrong = useErrorsAt('conditions');
  const { trigger, conditions, actions } = edit.values;
  const field = fieldNamed(entity, 'actions');
  const disabled = !field || !edit.editable(field);
  const set = (name: string, value: unknown) => {
    const target = fieldNamed(entity, name);
    if (target) {
      errors.forget(name);
      edit.edit(target, value);
    }
  };
  const steps = readSteps(actions);
  return (
    <SubjectProvider value={subject}>
      <div className="flex flex-col gap-5">
        <section id={fieldId(prefix, 'trigger')} aria-labelledby={`${prefix}-when`}>
          <h2 id={`${prefix}-when`} className="mb-2 font-semibold">
            {t('automation.when')}
          </h2>
          <TriggerSentence
            trigger={readTrigger(trigger)}
            onChange={(next) => set('trigger', next)}
            disabled={disabled}
          />
        </section>
        <section id={fieldId(prefix, 'conditions')} aria-labelledby={`${prefix}-if`}>
          <h2 id={`${prefix}-if`} className="mb-2 font-semibold">
            {t('automation.if')}
          </h2>
          {about === undefined ? (
            <p className="text-muted-foreground">{t('automation.choose_first')}</p>
          ) : (
            <ConditionGroup
              condition={readConditions(conditions)}
              onChange={(next) => set('conditions', writeConditions(next))}
              depth={0}
              disabled={disabled}
            />
          )}
          <ErrorText text={wrong.here} />
        </section>
        <section id={fieldId(prefix, 'actions')} aria-labelledby={`${prefix}-then`}>
          <h2 id={`${prefix}-then`} className="mb-2 font-semibold">
            {t('automation.then')}
          </h2>
          <Steps steps={steps} onChange={(next) => set('actions', next)} disabled={disabled} />
        </section>
      </div>
    </SubjectProvider>
  );
}

export function WorkflowBody() {
  const { edit } = useEditing();
  return (
    <div className="flex flex-col gap-5">
      {isWhole(edit.values) ? <Outline /> : <Rule />}
      <Stats />
    </div>
  );
}
