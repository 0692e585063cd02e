/** What is done, in order: each step a form of its own, moved by buttons or by Alt with the arrows. */
import { useQuery } from '@tanstack/react-query';
import { ArrowDown, ArrowUp, Copy, Plus, Trash2 } from 'lucide-react';
import { type KeyboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { abilitiesQuery } from '@/api/workflows';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Input, Select } from '@/ui/input';
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from '@/ui/menu';
import { ErrorText, useErrorsAt } from './errors';
import { StepInputs } from './inputs';
import { Labelled } from './Labelled';
import { addStep, changeStep, copyStep, moveStep, readable, removeStep, type Step, stepId } from './model';
import { ApprovalForm, WaitForm } from './special';
import { type Given, StepsBeforeProvider } from './steps-before';

const SPECIAL = ['wait', 'request_approval'];

export function useStepLabel(): (type: string) => string {
  const { t } = useTranslation();
  return (type) => t(`automation.action.${type}`, { defaultValue: readable(type) });
}

interface StepsProps {
  steps: Step[];
  onChange: (steps: Step[]) => void;
  disabled?: boolean;
}

/** What a later text can say of a step: what an approval decided, which record was made. */
function givenBy(
  step: Step,
  place: number,
  title: string,
  words: { decision: string; made: string },
): Given[] {
  const id = stepId(step, place);
  if (step.type === 'request_approval') {
    return [{ name: `steps.${id}.decision`, label: `${title} › ${words.decision}` }];
  }
  return step.type.startsWith('create_')
    ? [{ name: `steps.${id}.id`, label: `${title} › ${words.made}` }]
    : [];
}

function StepForm({ step, place, steps, onChange, disabled }: StepsProps & { step: Step; place: number }) {
  const { t } = useTranslation();
  const { data: abilities } = useQuery(abilitiesQuery);
  const action = abilities?.items.find(({ name }) => name === step.type);
  const form = {
    params: step.params ?? {},
    onChange: (params: Record<string, unknown>) => onChange(changeStep(steps, place, { params })),
    at: `actions.${place}.params`,
    disabled,
  };
  if (step.type === 'wait') {
    return <WaitForm {...form} />;
  }
  if (step.type === 'request_approval') {
    return <ApprovalForm {...form} />;
  }
  if (abilities && !action) {
    return <p className="text-muted-foreground">{t('automation.unknown_action', { name: step.type })}</p>;
  }
  return <StepInputs inputs={action?.inputs ?? []} {...form} />;
}

/** What is rarely asked for: a name of one's own, how often it is tried, what follows when it fails. */
function StepMore({ step, place, steps, onChange, disabled }: StepsProps & { step: Step; place: number }) {
  const { t } = useTranslation();
  const labelOf = useStepLabel();
  const change = (next: Partial<Step>) => onChange(changeStep(steps, place, next));
  return (
    <details>
      <summary className="cursor-pointer text-muted-foreground">{t('automation.step_more')}</summary>
      <div className="mt-2 flex flex-wrap gap-3">
        <Labelled label={t('automation.step_name')} className="min-w-48 flex-1">
          {(control) => (
            <Input
              {...control}
              disabled={disabled}
              value={step.name ?? ''}
              placeholder={labelOf(step.type)}
              onChange={({ target }) => change({ name: target.value || undefined })}
            />
          )}
        </Labelled>
        {!SPECIAL.includes(step.type) && (
          <>
            <Labelled label={t('automation.tries')}>
              {(control) => (
                <Input
                  {...control}
                  type="number"
                  min={1}
                  max={20}
                  className="w-24"
                  disabled={disabled}
                  value={typeof step.tries === 'number' ? step.tries : 3}
                  onChange={({ target }) => change({ tries: Number(target.value) || undefined })}
                />
              )}
            </Labelled>
            <Labelled label={t('automation.on_failure')}>
              {(control) => (
                <Select
                  {...control}
                  disabled={disabled}
                  value={step.on_failure === 'continue' ? 'continue' : 'stop'}
                  onChange={({ target }) =>
                    change({ on_failure: target.value === 'continue' ? 'continue' : undefined })
                  }
                >
                  <option value="stop">{t('automation.failure_stop')}</option>
                  <option value="continue">{t('automation.failure_continue')}</option>
                </Select>
              )}
            </Labelled>
          </>
        )}
      </div>
    </details>
  );
}

interface OneStepProps extends StepsProps {
  step: Step;
  place: number;
  onMove: (to: number) => void;
}

/** What is wrong with a step as a whole: what belongs to none of the inputs the form shows. */
function useStepErrors(step: Step, place: number): string | undefined {
  const { data: abilities } = useQuery(abilitiesQuery);
  const { here, below } = useErrorsAt(`actions.${place}`);
  const inputs = abilities?.items.find(({ name }) => name === step.type)?.inputs ?? [];
  const drawn = inputs.map(({ name }) => name);
  const hasFields = inputs.some(({ kind }) => kind === 'fields');
  const rest = Object.entries(below).flatMap(([at, text]) => {
    const [params, name = ''] = at.split('.');
    const shown = params === 'params' && (SPECIAL.includes(step.type) || hasFields || drawn.includes(name));
    return shown ? [] : [`${at}: ${text}`];
  });
  return [here, ...rest].filter(Boolean).join(' ') || undefined;
}

function OneStep({ step, place, onMove, ...list }: OneStepProps) {
  const { t } = useTranslation();
  const { steps, onChange, disabled } = list;
  const labelOf = useStepLabel();
  const problem = useStepErrors(step, place);
  const title = step.name || labelOf(step.type);
  const words = { decision: t('automation.given.decision'), made: t('automation.given.made') };
  const before = steps
    .slice(0, place)
    .flatMap((other, at) => givenBy(other, at, `${at + 1}. ${other.name || labelOf(other.type)}`, words));
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (event.altKey && by !== 0 && !disabled) {
      event.preventDefault();
      onMove(place + by);
    }
  };
  const button = { variant: 'ghost', size: 'icon', disabled } as const;
  return (
    <li
      aria-label={t('automation.step_of', { place: place + 1, title })}
      className={cn('flex flex-col gap-3 rounded-md border bg-background p-3', problem && 'border-danger')}
      onKeyDown={onKeyDown}
    >
      <div className="flex items-center gap-2">
        <span
          aria-hidden
          className="grid size-5 shrink-0 place-items-center rounded-full bg-hover text-xs tabular-nums"
        >
          {place + 1}
        </span>
        <h3 className="min-w-0 flex-1 truncate font-semibold">{title}</h3>
        {!disabled && (
          <span className="flex shrink-0">
            <Button
              {...button}
              aria-disabled={place === 0}
              aria-label={t('automation.move_up', { title })}
              aria-keyshortcuts="Alt+ArrowUp"
              onClick={() => onMove(place - 1)}
            >
              <ArrowUp aria-hidden />
            </Button>
            <Button
              {...button}
              aria-disabled={place === steps.length - 1}
              aria-label={t('automation.move_down', { title })}
              aria-keyshortcuts="Alt+ArrowDown"
              onClick={() => onMove(place + 1)}
            >
              <ArrowDown aria-hidden />
            </Button>
            <Button
              {...button}
              aria-label={t('automation.copy_step', { title })}
              onClick={() => onChange(copyStep(steps, place))}
            >
              <Copy aria-hidden />
            </Button>
            <Button
              {...button}
              aria-label={t('automation.remove_step', { title })}
              onClick={() => onChange(removeStep(steps, place))}
            >
              <Trash2 aria-hidden />
            </Button>
          </span>
        )}
      </div>
      <ErrorText text={problem} />
      <StepsBeforeProvider value={before}>
        <StepForm step={step} place={place} {...list} />
      </StepsBeforeProvider>
      <StepMore step={step} place={place} {...list} />
    </li>
  );
}

function AddStep({ onAdd }: { onAdd: (type: string) => void }) {
  const { t } = useTranslation();
  const labelOf = useStepLabel();
  const { data: abilities } = useQuery(abilitiesQuery);
  const actions = (abilities?.items ?? [])
    .map(({ name }) => ({ name, label: labelOf(name) }))
    .sort((a, b) => a.label.localeCompare(b.label));
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button className="self-start">
          <Plus aria-hidden /> {t('automation.add_step')}
        </Button>
      </MenuTrigger>
      <MenuContent>
        {actions.map(({ name, label }) => (
          <MenuItem key={name} onSelect={() => onAdd(name)}>
            {label}
          </MenuItem>
        ))}
        <MenuSeparator />
        {SPECIAL.map((name) => (
          <MenuItem key={name} onSelect={() => onAdd(name)}>
            {labelOf(name)}
          </MenuItem>
        ))}
      </MenuContent>
    </Menu>
  );
}

export function Steps(list: StepsProps) {
  const { t } = useTranslation();
  const { steps, onChange, disabled } = list;
  const [said, setSaid] = useState('');
  const { here } = useErrorsAt('actions');
  const move = (from: number, to: number) => {
    if (to >= 0 && to < steps.length) {
      onChange(moveStep(steps, from, to));
      setSaid(t('automation.moved', { place: to + 1, total: steps.length }));
    }
  };
  return (
    <div className="flex flex-col gap-2">
      <ErrorText text={here} />
      {steps.length === 0 && <p className="text-muted-foreground">{t('automation.no_steps')}</p>}
      <ol className="flex flex-col gap-2">
        {steps.map((step, place) => (
          <OneStep
            key={stepId(step, place)}
            step={step}
            place={place}
            onMove={(to) => move(place, to)}
            {...list}
          />
        ))}
      </ol>
      <p role="status" className="sr-only">
        {said}
      </p>
      {!disabled && <AddStep onAdd={(type) => onChange(addStep(steps, type))} />}
    </div>
  );
}
