/** The form of a step, drawn from what its action says it is given. */
import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { WorkflowInput } from '@/api/workflows';
import { Button } from '@/ui/button';
import { Checkbox } from '@/ui/checkbox';
import { Input } from '@/ui/input';
import { useErrorsAt } from './errors';
import { FieldsInput } from './FieldsInput';
import { Labelled } from './Labelled';
import { readable, withParam } from './model';
import { PeopleInput } from './PeopleInput';
import { EntitySelect, PathSelect } from './pickers';
import { SpanInput } from './SpanInput';
import { findPath, useSubject } from './subject';
import { TemplateInput } from './TemplateInput';
import { ValueInput } from './ValueInput';

export interface InputsProps {
  inputs: WorkflowInput[];
  params: Record<string, unknown>;
  onChange: (params: Record<string, unknown>) => void;
  /** Where the parameters stand in the rule: `actions.0.params`. */
  at: string;
  disabled?: boolean;
}

export function asText(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  return value === null || value === undefined ? '' : JSON.stringify(value);
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** An object of texts: headers, say. */
function MapInput({ id, value, onChange, disabled }: MapInputProps) {
  const { t } = useTranslation();
  const entries = Object.entries(value);
  const put = (next: [string, unknown][]) => onChange(Object.fromEntries(next));
  return (
    <div id={id} className="flex flex-col gap-1.5">
      {entries.map(([name, held], at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row stays the same row when its name changes
        <div key={at} className="flex gap-1">
          <Input
            aria-label={t('automation.map_name')}
            className="w-40"
            disabled={disabled}
            value={name}
            onChange={({ target }) => put(entries.with(at, [target.value, held]))}
          />
          <Input
            aria-label={t('automation.value_of', { label: name })}
            disabled={disabled}
            value={asText(held)}
            onChange={({ target }) => put(entries.with(at, [name, target.value]))}
          />
          <Button
            variant="ghost"
            size="icon"
            disabled={disabled}
            aria-label={t('field.remove', { name })}
            onClick={() => put(entries.toSpliced(at, 1))}
          >
            <X aria-hidden />
          </Button>
        </div>
      ))}
      <Button
        className="self-start"
        disabled={disabled || '' in value}
        onClick={() => put([...entries, ['', '']])}
      >
        {t('automation.add_entry')}
      </Button>
    </div>
  );
}

interface MapInputProps {
  id: string;
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
  disabled?: boolean;
}

function OneInput({
  input,
  params,
  onChange,
  at,
  disabled,
}: Omit<InputsProps, 'inputs'> & { input: WorkflowInput }) {
  const { t } = useTranslation();
  const subject = useSubject();
  const { here, below } = useErrorsAt(`${at}.${input.name}`);
  const beside = useErrorsAt(at).below;
  const { name, kind, required } = input;
  const value = params[name];
  const set = (next: unknown) => onChange(withParam(params, name, next));
  const label = t(`automation.input.${name}`, { defaultValue: readable(name) });
  const frame = { label, required, error: here };
  switch (kind) {
    case 'fields': {
      const entity = typeof params.entity === 'string' ? params.entity : subject.entity?.name;
      return (
        <Labelled {...frame}>
          {({ id }) => (
            <FieldsInput
              id={id}
              label={label}
              entity={entity}
              value={asObject(value)}
              onChange={(next) => onChange({ ...params, [name]: next })}
              errors={{ ...beside, ...below }}
              disabled={disabled}
            />
          )}
        </Labelled>
      );
    }
    case 'people':
      return (
        <Labelled {...frame}>
          {(control) => (
            <PeopleInput
              {...control}
              label={label}
              one={name === 'user'}
              value={value}
              onChange={set}
              disabled={disabled}
            />
          )}
        </Labelled>
      );
    case 'flag':
      return (
        <Labelled {...frame} className="flex-row-reverse items-center justify-end gap-2">
          {(control) => (
            <Checkbox
              {...control}
              disabled={disabled}
              checked={value === true}
              onCheckedChange={(on) => set(on === true ? true : null)}
            />
          )}
        </Labelled>
      );
    case 'entity':
      return (
        <Labelled {...frame}>
          {(control) => (
            <EntitySelect {...control} disabled={disabled} value={asText(value)} onChange={set} />
          )}
        </Labelled>
      );
    case 'field':
      return (
        <Labelled {...frame}>
          {(control) => (
            <PathSelect {...control} own disabled={disabled} value={asText(value)} onChange={set} />
          )}
        </Labelled>
      );
    case 'value': {
      const path = typeof params.field === 'string' ? findPath(subject, params.field) : undefined;
      return (
        <Labelled {...frame}>
          {(control) =>
            path ? (
              <ValueInput
                {...control}
                key={path.path}
                field={path.field}
                owner={path.owner}
                value={value}
                onChange={set}
                disabled={disabled}
              />
            ) : (
              <TemplateInput {...control} value={asText(value)} onChange={set} disabled={disabled} />
            )
          }
        </Labelled>
      );
    }
    case 'span':
      return (
        <Labelled {...frame}>
          {(control) => <SpanInput {...control} value={asText(value)} onChange={set} disabled={disabled} />}
        </Labelled>
      );
    case 'number':
      return (
        <Labelled {...frame}>
          {(control) => (
            <Input
              {...control}
              type="number"
              className="w-32"
              disabled={disabled}
              value={typeof value === 'number' ? value : ''}
              onChange={({ target }) => set(target.value === '' ? null : Number(target.value))}
            />
          )}
        </Labelled>
      );
    case 'map':
      return (
        <Labelled {...frame}>
          {({ id }) => <MapInput id={id} value={asObject(value)} onChange={set} disabled={disabled} />}
        </Labelled>
      );
    default:
      return (
        <Labelled {...frame}>
          {(control) => (
            <TemplateInput
              {...control}
              long={kind === 'long_text'}
              value={asText(value)}
              onChange={set}
              disabled={disabled}
            />
          )}
        </Labelled>
      );
  }
}

/**
 * One field with its value, and fields with their values, are two ways of saying the same: where an action
 * takes both, the form shows the one that says more, with what the other said.
 */
function together({ inputs, params }: Pick<InputsProps, 'inputs' | 'params'>) {
  const field = inputs.find(({ kind }) => kind === 'field');
  const value = inputs.find(({ kind }) => kind === 'value');
  const fields = inputs.find(({ kind }) => kind === 'fields');
  if (!field || !value || !fields) {
    return { inputs, params };
  }
  const { [field.name]: name, [value.name]: held, ...rest } = params;
  const set = typeof name === 'string' ? { [name]: held ?? null } : {};
  return {
    inputs: inputs
      .filter((input) => input !== field && input !== value)
      .map((input) => (input === fields ? { ...input, required: true } : input)),
    params: { ...rest, [fields.name]: { ...set, ...asObject(params[fields.name]) } },
  };
}

export function StepInputs({ inputs, params, ...rest }: InputsProps) {
  const form = together({ inputs, params });
  return form.inputs.map((input) => (
    <OneInput key={input.name} input={input} params={form.params} {...rest} />
  ));
}
