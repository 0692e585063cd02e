/** Fields with the values they are to have. */
import { useQuery } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { entityQuery, fieldNamed } from '@/api/meta';
import type { EntityMeta } from '@/api/types';
import { isWritable } from '@/records/form/layout';
import { Button } from '@/ui/button';
import { ErrorText } from './errors';
import { FieldSelect } from './pickers';
import { TemplateInput } from './TemplateInput';
import { ValueInput } from './ValueInput';

interface FieldsInputProps {
  id: string;
  label: string;
  /** Whose fields. */
  entity: string | undefined;
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
  /** By name of the field. */
  errors: Record<string, string>;
  disabled?: boolean;
}

/** Values that are no text and no choice: a person gives them on the record itself. */
const ELSEWHERE = ['file', 'image', 'children', 'password', 'secret', 'json'];

function settable(entity: EntityMeta | undefined) {
  return (entity?.fields ?? []).filter((field) => isWritable(field) && !ELSEWHERE.includes(field.type));
}

interface RowProps extends Pick<FieldsInputProps, 'value' | 'onChange' | 'errors' | 'disabled'> {
  name: string;
  meta: EntityMeta | undefined;
}

function Row({ name, meta, value, onChange, errors, disabled }: RowProps) {
  const { t } = useTranslation();
  const id = useId();
  const field = meta && fieldNamed(meta, name);
  const label = field?.label ?? name;
  const free = settable(meta).filter((one) => one.name === name || !(one.name in value));
  const rename = (next: string) =>
    onChange(
      Object.fromEntries(
        Object.entries(value).map(([key, held]) => (key === name ? [next, null] : [key, held])),
      ),
    );
  const set = (next: unknown) => onChange({ ...value, [name]: next });
  const problem = errors[name];
  const control = { id, 'aria-invalid': problem === undefined ? undefined : (true as const) };
  return (
    <li className="flex flex-col gap-1">
      <div className="grid grid-cols-[minmax(0,1fr)_auto] gap-1 sm:grid-cols-[minmax(0,11rem)_minmax(0,1fr)_auto]">
        <FieldSelect
          aria-label={t('automation.field')}
          fields={free}
          value={name}
          onChange={rename}
          disabled={disabled}
        />
        <div className="min-w-0 max-sm:order-last max-sm:col-span-2">
          <label htmlFor={id} className="sr-only">
            {t('automation.value_of', { label })}
          </label>
          {field && meta ? (
            <ValueInput
              {...control}
              key={name}
              field={field}
              owner={meta}
              value={value[name]}
              onChange={set}
              disabled={disabled}
            />
          ) : (
            <TemplateInput
              {...control}
              value={String(value[name] ?? '')}
              onChange={set}
              disabled={disabled}
            />
          )}
        </div>
        <Button
          variant="ghost"
          size="icon"
          disabled={disabled}
          aria-label={t('field.remove', { name: label })}
          onClick={() => onChange(Object.fromEntries(Object.entries(value).filter(([key]) => key !== name)))}
        >
          <X aria-hidden />
        </Button>
      </div>
      <ErrorText text={problem} />
    </li>
  );
}

export function FieldsInput({ id, label, entity, value, onChange, errors, disabled }: FieldsInputProps) {
  const { t } = useTranslation();
  const { data: meta } = useQuery({ ...entityQuery(entity ?? ''), enabled: entity !== undefined });
  const free = settable(meta).filter(({ name }) => !(name in value));
  const wanted = free.find(({ name }) => name === meta?.title_field) ?? free[0];
  const add = () => wanted && onChange({ ...value, [wanted.name]: null });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div id={id} role="group" aria-label={label} className="flex flex-col gap-1.5">
      <ul className="flex flex-col gap-1.5">
        {Object.keys(value).map((name, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row stays the same row when its field changes
          <Row key={at} name={name} meta={meta} {...{ value, onChange, errors, disabled }} />
        ))}
      </ul>
      <Button className="self-start" disabled={disabled || !wanted} onClick={add}>
        <Plus aria-hidden /> {t('automation.add_field')}
      </Button>
    </div>
  );
}
