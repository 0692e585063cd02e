/** Triggers by time: at set times, when nobody touched a record for long, before a date of it. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { FieldMeta } from '@/api/types';
import { Input, Select } from '@/ui/input';
import { useErrorsAt } from './errors';
import { asText } from './inputs';
import { Labelled } from './Labelled';
import { type Trigger, withInput } from './model';
import { EntitySelect, FieldSelect } from './pickers';
import { SpanInput } from './SpanInput';
import { useSubject } from './subject';

interface ClockProps {
  trigger: Trigger;
  onChange: (trigger: Trigger) => void;
  disabled?: boolean;
}

const FREQUENCIES = ['daily', 'weekly', 'monthly', 'cron'] as const;
const DAYS = { weekly: 7, monthly: 31 };

/** 5 January 2026 is a Monday: the days of the week in the reader's language, Monday first. */
function dayWords(frequency: 'weekly' | 'monthly', day: number, language: string): string {
  return frequency === 'monthly'
    ? String(day)
    : new Intl.DateTimeFormat(language, { weekday: 'long', timeZone: 'UTC' }).format(
        Date.UTC(2026, 0, 4 + day),
      );
}

function Scheduled({ trigger, onChange, disabled }: ClockProps) {
  const { t, i18n } = useTranslation();
  const { below } = useErrorsAt('trigger');
  const byPattern = 'cron' in trigger;
  const frequency = byPattern ? 'cron' : asText(trigger.frequency ?? 'daily');
  const set = (name: string, value: unknown) => onChange(withInput(trigger, name, value));
  const choose = (next: string) => {
    const { cron: _cron, frequency: _old, day: _day, ...rest } = trigger;
    onChange(next === 'cron' ? { ...rest, cron: '0 8 * * 1-5' } : { ...rest, frequency: next });
  };
  return (
    <div className="flex flex-wrap gap-3">
      <Labelled label={t('automation.clock.frequency')} error={below.frequency}>
        {(control) => (
          <Select
            {...control}
            disabled={disabled}
            value={frequency}
            onChange={({ target }) => choose(target.value)}
          >
            {FREQUENCIES.map((name) => (
              <option key={name} value={name}>
                {t(`automation.clock.${name}`)}
              </option>
            ))}
          </Select>
        )}
      </Labelled>
      {byPattern && (
        <Labelled label={t('automation.clock.pattern')} error={below.cron}>
          {(control) => (
            <Input
              {...control}
              disabled={disabled}
              spellCheck={false}
              value={asText(trigger.cron)}
              onChange={({ target }) => onChange({ ...trigger, cron: target.value })}
            />
          )}
        </Labelled>
      )}
      {(frequency === 'weekly' || frequency === 'monthly') && (
        <Labelled label={t('automation.clock.day')} error={below.day}>
          {(control) => (
            <Select
              {...control}
              disabled={disabled}
              value={asText(trigger.day ?? 1)}
              onChange={({ target }) => set('day', Number(target.value))}
            >
              {Array.from({ length: DAYS[frequency] }, (_unused, at) => at + 1).map((day) => (
                <option key={day} value={day}>
                  {dayWords(frequency, day, i18n.language)}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
      )}
      {!byPattern && (
        <Labelled label={t('automation.clock.at')} error={below.at}>
          {(control) => (
            <Input
              {...control}
              type="time"
              disabled={disabled}
              value={asText(trigger.at ?? '00:00').slice(0, 5)}
              onChange={({ target }) => set('at', target.value || null)}
            />
          )}
        </Labelled>
      )}
      <Labelled label={t('automation.clock.for_each')} error={below.entity}>
        {(control) => (
          <EntitySelect
            {...control}
            disabled={disabled}
            value={trigger.entity}
            onChange={(name) => set('entity', name || null)}
          />
        )}
      </Labelled>
    </div>
  );
}

function isMoment({ type }: FieldMeta): boolean {
  return type === 'date' || type === 'datetime';
}

function Inactivity({ trigger, onChange, disabled }: ClockProps) {
  const { t } = useTranslation();
  const { entity } = useSubject();
  const { below } = useErrorsAt('trigger');
  const set = (name: string, value: unknown) => onChange(withInput(trigger, name, value));
  return (
    <div className="flex flex-wrap gap-3">
      {'for' in trigger ? (
        <Labelled label={t('automation.clock.inactive_for')} error={below.for} required>
          {(control) => (
            <SpanInput
              {...control}
              disabled={disabled}
              value={asText(trigger.for)}
              onChange={(text) => onChange({ ...trigger, for: text })}
            />
          )}
        </Labelled>
      ) : (
        <Labelled label={t('automation.clock.days')} error={below.days} required>
          {(control) => (
            <Input
              {...control}
              type="number"
              min={0}
              className="w-28"
              disabled={disabled}
              value={asText(trigger.days)}
              onChange={({ target }) => set('days', target.value === '' ? null : Number(target.value))}
            />
          )}
        </Labelled>
      )}
      <Labelled label={t('automation.clock.since')} error={below.since}>
        {(control) => (
          <FieldSelect
            {...control}
            disabled={disabled}
            fields={(entity?.fields ?? []).filter(isMoment)}
            value={asText(trigger.since ?? 'updated_at')}
            onChange={(name) => set('since', name || null)}
          />
        )}
      </Labelled>
    </div>
  );
}

function Deadline({ trigger, onChange, disabled }: ClockProps) {
  const { t } = useTranslation();
  const { entity } = useSubject();
  const { below } = useErrorsAt('trigger');
  return (
    <div className="flex flex-wrap gap-3">
      <Labelled label={t('automation.clock.deadline')} error={below.field} required>
        {(control) => (
          <FieldSelect
            {...control}
            disabled={disabled}
            fields={(entity?.fields ?? []).filter(isMoment)}
            value={asText(trigger.field)}
            onChange={(name) => onChange(withInput(trigger, 'field', name || null))}
          />
        )}
      </Labelled>
      <Labelled label={t('automation.clock.before')} error={below.before ?? below.days} required>
        {(control) => (
          <SpanInput
            {...control}
            disabled={disabled}
            value={asText(trigger.before ?? (typeof trigger.days === 'number' ? `${trigger.days}d` : ''))}
            onChange={(text) => onChange(withInput(withInput(trigger, 'days', null), 'before', text || null))}
          />
        )}
      </Labelled>
    </div>
  );
}

/** What each trigger by time asks besides the entity. */
export const CLOCK_FORMS: Record<string, (props: ClockProps) => ReactNode> = {
  scheduled: Scheduled,
  inactivity_delay: Inactivity,
  deadline: Deadline,
};
