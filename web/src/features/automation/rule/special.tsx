/** The two steps that are no actions: waiting, and asking people. */
import { useTranslation } from 'react-i18next';
import { Checkbox } from '@/ui/checkbox';
import { Input, Select } from '@/ui/input';
import { useErrorsAt } from './errors';
import { asText, type InputsProps } from './inputs';
import { Labelled } from './Labelled';
import { withParam } from './model';
import { PeopleInput } from './PeopleInput';
import { SpanInput } from './SpanInput';
import { TemplateInput } from './TemplateInput';

type SpecialProps = Omit<InputsProps, 'inputs'>;

export function WaitForm({ params, onChange, at, disabled }: SpecialProps) {
  const { t } = useTranslation();
  const { below } = useErrorsAt(at);
  const until = 'until' in params;
  return (
    <>
      <Labelled label={t('automation.wait.mode')} className="max-w-sm">
        {(control) => (
          <Select
            {...control}
            disabled={disabled}
            value={until ? 'until' : 'for'}
            onChange={({ target }) => onChange(target.value === 'until' ? { until: '' } : {})}
          >
            <option value="for">{t('automation.wait.for')}</option>
            <option value="until">{t('automation.wait.until')}</option>
          </Select>
        )}
      </Labelled>
      {until ? (
        <Labelled
          label={t('automation.wait.moment')}
          help={t('automation.wait.moment_help')}
          error={below.until}
          required
        >
          {(control) => (
            <TemplateInput
              {...control}
              value={asText(params.until)}
              onChange={(text) => onChange({ until: text })}
              disabled={disabled}
            />
          )}
        </Labelled>
      ) : (
        <Labelled label={t('automation.wait.duration')} error={below.for} required>
          {(control) => (
            <SpanInput
              {...control}
              value={asText(params.for)}
              onChange={(text) => onChange(withParam(params, 'for', text))}
              disabled={disabled}
            />
          )}
        </Labelled>
      )}
    </>
  );
}

export function ApprovalForm({ params, onChange, at, disabled }: SpecialProps) {
  const { t } = useTranslation();
  const { below } = useErrorsAt(at);
  const set = (name: string, value: unknown) => onChange(withParam(params, name, value));
  const { mode } = params;
  const some = typeof mode === 'number';
  return (
    <>
      <Labelled label={t('automation.approval.approvers')} error={below.approvers} required>
        {(control) => (
          <PeopleInput
            {...control}
            label={t('automation.approval.approvers')}
            value={params.approvers}
            onChange={(people) => set('approvers', people)}
            disabled={disabled}
          />
        )}
      </Labelled>
      <div className="flex flex-wrap gap-3">
        <Labelled label={t('automation.approval.mode')} error={below.mode} className="min-w-52 flex-1">
          {(control) => (
            <span className="flex gap-1">
              <Select
                {...control}
                disabled={disabled}
                value={some ? 'count' : asText(mode ?? 'any')}
                onChange={({ target }) => set('mode', target.value === 'count' ? 2 : target.value)}
              >
                {['any', 'all', 'count'].map((name) => (
                  <option key={name} value={name}>
                    {t(`automation.approval.mode_${name}`)}
                  </option>
                ))}
              </Select>
              {some && (
                <Input
                  type="number"
                  min={1}
                  className="w-20"
                  disabled={disabled}
                  aria-label={t('automation.approval.count')}
                  value={mode}
                  onChange={({ target }) => set('mode', Math.max(1, Number(target.value)))}
                />
              )}
            </span>
          )}
        </Labelled>
        <Labelled label={t('automation.approval.due_in')} error={below.due_in}>
          {(control) => (
            <SpanInput
              {...control}
              value={asText(params.due_in)}
              onChange={(text) => set('due_in', text)}
              disabled={disabled}
            />
          )}
        </Labelled>
        {'due_in' in params && (
          <Labelled label={t('automation.approval.on_timeout')} error={below.on_timeout}>
            {(control) => (
              <Select
                {...control}
                disabled={disabled}
                value={asText(params.on_timeout ?? 'reject')}
                onChange={({ target }) => set('on_timeout', target.value)}
              >
                {['reject', 'approve', 'fail'].map((name) => (
                  <option key={name} value={name}>
                    {t(`automation.approval.timeout_${name}`)}
                  </option>
                ))}
              </Select>
            )}
          </Labelled>
        )}
      </div>
      <div className="flex flex-wrap gap-3">
        <Labelled label={t('automation.approval.remind_every')} error={below.remind_every}>
          {(control) => (
            <SpanInput
              {...control}
              value={asText(params.remind_every)}
              onChange={(text) => set('remind_every', text)}
              disabled={disabled}
            />
          )}
        </Labelled>
        <Labelled label={t('automation.approval.escalate_in')} error={below.escalate_in}>
          {(control) => (
            <SpanInput
              {...control}
              value={asText(params.escalate_in)}
              onChange={(text) => set('escalate_in', text)}
              disabled={disabled}
            />
          )}
        </Labelled>
      </div>
      {'escalate_in' in params && (
        <Labelled
          label={t('automation.approval.escalate_to')}
          help={t('automation.approval.escalate_to_help')}
          error={below.escalate_to}
        >
          {(control) => (
            <PeopleInput
              {...control}
              label={t('automation.approval.escalate_to')}
              value={params.escalate_to}
              onChange={(people) => set('escalate_to', people)}
              disabled={disabled}
            />
          )}
        </Labelled>
      )}
      <Labelled label={t('automation.approval.title')} error={below.title}>
        {(control) => (
          <TemplateInput
            {...control}
            value={asText(params.title)}
            onChange={(text) => set('title', text)}
            disabled={disabled}
          />
        )}
      </Labelled>
      <Labelled label={t('automation.approval.message')} error={below.message}>
        {(control) => (
          <TemplateInput
            {...control}
            long
            value={asText(params.message)}
            onChange={(text) => set('message', text)}
            disabled={disabled}
          />
        )}
      </Labelled>
      <Labelled
        label={t('automation.approval.by_mail')}
        error={below.by_mail}
        className="flex-row-reverse items-center justify-end gap-2"
      >
        {(control) => (
          <Checkbox
            {...control}
            disabled={disabled}
            checked={params.by_mail === true}
            onCheckedChange={(on) => set('by_mail', on === true ? true : null)}
          />
        )}
      </Labelled>
      <Labelled
        label={t('automation.approval.allow_self')}
        error={below.allow_self}
        className="flex-row-reverse items-center justify-end gap-2"
      >
        {(control) => (
          <Checkbox
            {...control}
            disabled={disabled}
            checked={params.allow_self === true}
            onCheckedChange={(on) => set('allow_self', on === true ? true : null)}
          />
        )}
      </Labelled>
    </>
  );
}
