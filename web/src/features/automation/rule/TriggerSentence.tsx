/** What sets the rule off, as a sentence: when a ticket changes its state from New to In progress. */
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChoiceOption } from '@/api/types';
import { abilitiesQuery } from '@/api/workflows';
import { FieldInput } from '@/records/fields/FieldInput';
import { Select } from '@/ui/input';
import { CLOCK_FORMS } from './clock';
import { ErrorText, useErrorsAt } from './errors';
import { StepInputs } from './inputs';
import { readable, TRIGGERS, type Trigger, texts, withInput, withType } from './model';
import { EntitySelect } from './pickers';
import { useSubject } from './subject';

interface TriggerProps {
  trigger: Trigger;
  onChange: (trigger: Trigger) => void;
  disabled?: boolean;
}

interface SomeProps extends TriggerProps {
  name: 'changed' | 'from' | 'to';
  options: ChoiceOption[];
}

/** Any of them while none is chosen. */
function Some({ trigger, name, options, onChange, disabled }: SomeProps) {
  const { t } = useTranslation();
  const id = useId();
  const chosen = texts(trigger[name]);
  const { here } = useErrorsAt(`trigger.${name}`);
  const label = t(`automation.trigger.${name}`);
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <span aria-hidden className="text-muted-foreground">
        {label}
        {chosen.length === 0 && ` ${t('automation.trigger.any')}`}
      </span>
      <FieldInput
        id={id}
        field={{ type: 'choices', name, label, options }}
        value={chosen}
        onChange={(value) => onChange(withInput(trigger, name, value))}
        disabled={disabled}
        labels={{}}
        states={[]}
      />
      <ErrorText text={here} />
    </div>
  );
}

export function TriggerSentence({ trigger, onChange, disabled }: TriggerProps) {
  const { t } = useTranslation();
  const { entity } = useSubject();
  const { data: abilities } = useQuery(abilitiesQuery);
  const { here, below } = useErrorsAt('trigger');
  const more = abilities?.triggers ?? [];
  const own = more.find(({ name }) => name === trigger.type);
  const isKnown = (TRIGGERS as readonly string[]).includes(trigger.type);
  const byClock = trigger.type === 'scheduled';
  const Clock = CLOCK_FORMS[trigger.type];
  const names = [...new Set([...TRIGGERS, ...more.map(({ name }) => name), trigger.type])];
  const fields = (entity?.fields ?? [])
    .filter(({ system, type }) => !system && type !== 'computed' && type !== 'rollup')
    .map(({ name, label }) => ({ value: name, label }));
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-1.5">
        <span>{t(byClock ? 'automation.trigger.then' : 'automation.trigger.when')}</span>
        {!byClock && (isKnown || trigger.entity !== undefined) && (
          <EntitySelect
            aria-label={t('automation.trigger.entity')}
            aria-invalid={below.entity === undefined ? undefined : true}
            className="w-auto max-w-full"
            disabled={disabled}
            value={trigger.entity}
            onChange={(name) =>
              onChange(name === '' ? { type: trigger.type } : { type: trigger.type, entity: name })
            }
          />
        )}
        <Select
          aria-label={t('automation.trigger.event')}
          className="w-auto max-w-full"
          disabled={disabled}
          value={trigger.type}
          onChange={({ target }) => onChange(withType(trigger, target.value))}
        >
          {names.map((name) => (
            <option
              key={name}
              value={name}
              disabled={name === 'state_changed' && entity !== undefined && entity.states.length === 0}
            >
              {t(`automation.event.${name}`, { defaultValue: readable(name) })}
            </option>
          ))}
        </Select>
      </div>
      <ErrorText text={here ?? (byClock ? undefined : below.entity) ?? below.type} />
      {trigger.type === 'record_updated' && entity && (
        <Some name="changed" options={fields} {...{ trigger, onChange, disabled }} />
      )}
      {trigger.type === 'state_changed' && entity && (
        <div className="flex flex-wrap gap-x-6 gap-y-2">
          <Some name="from" options={entity.states} {...{ trigger, onChange, disabled }} />
          <Some name="to" options={entity.states} {...{ trigger, onChange, disabled }} />
        </div>
      )}
      {Clock && <Clock trigger={trigger} onChange={onChange} disabled={disabled} />}
      {own && !isKnown && (
        <StepInputs
          inputs={own.inputs}
          params={trigger}
          at="trigger"
          onChange={(next) => onChange({ ...next, type: trigger.type })}
          disabled={disabled}
        />
      )}
    </div>
  );
}
