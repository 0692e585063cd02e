/** What a request is about: a category, or a thing of one's own. */
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fieldNamed } from '@/api/meta';
import type { Condition, EntityMeta, FieldOf } from '@/api/types';
import { FieldInput } from '@/records/fields/FieldInput';
import { useLinkOptions } from '@/records/link/search';
import { Checkmark } from '@/ui/checkmark';
import { cn } from '@/ui/cn';
import { Select } from '@/ui/input';

/** Things are given to people by this field of theirs. */
const MINE: Condition = { field: 'user', op: 'eq', value: '@me' };
const OFFERED: Condition = { field: 'active', op: 'ne', value: false };
/** The most that fit a list one reads; beyond it one types. */
const FEW = 20;

function linkField(entity: EntityMeta, name: string): FieldOf<'link'> | undefined {
  const field = fieldNamed(entity, name);
  return field?.type === 'link' && field.writable !== false ? field : undefined;
}

function linksField(entity: EntityMeta, name: string): FieldOf<'links'> | undefined {
  const field = fieldNamed(entity, name);
  return field?.type === 'links' && field.writable !== false ? field : undefined;
}

export interface SubjectValue {
  category?: string | null;
  impacted_assets?: string[] | null;
}

interface CategoryProps {
  field: FieldOf<'link'>;
  id: string;
  value: string | null;
  onChange: (id: string | null) => void;
}

function Category({ field, id, value, onChange }: CategoryProps) {
  const { t } = useTranslation();
  const { data: options = [] } = useLinkOptions(field.to, OFFERED, '');
  if (options.length >= FEW) {
    return (
      <FieldInput
        id={id}
        field={{ ...field, where: OFFERED }}
        value={value}
        onChange={(next) => onChange(next as string | null)}
        labels={{}}
        states={[]}
      />
    );
  }
  return (
    <Select id={id} value={value ?? ''} onChange={(event) => onChange(event.target.value || null)}>
      <option value="">{t('self_service.no_category')}</option>
      {options.map((option) => (
        <option key={option.id} value={option.id}>
          {option.title}
        </option>
      ))}
    </Select>
  );
}

interface ThingsProps {
  options: { id: string; title: string; detail: string }[];
  label: string;
  value: string[];
  onChange: (ids: string[] | null) => void;
}

function Things({ options, label, value, onChange }: ThingsProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div role="group" aria-label={label} className="flex flex-col gap-1">
      {options.map(({ id, title, detail }) => {
        const on = value.includes(id);
        const next = on ? value.filter((entry) => entry !== id) : [...value, id];
        return (
          <label
            key={id}
            className={cn(
              'flex min-h-11 cursor-pointer items-center gap-2.5 rounded-md border px-3',
              'has-checked:border-accent has-checked:bg-selected has-focus-visible:outline-2 has-focus-visible:outline-accent',
            )}
          >
            <input
              type="checkbox"
              className="sr-only"
              checked={on}
              onChange={() => onChange(next.length > 0 ? next : null)}
            />
            <Checkmark checked={on} />
            <span className="min-w-0 flex-1 truncate">{title}</span>
            <span className="shrink-0 text-xs text-muted-foreground">{detail}</span>
          </label>
        );
      })}
    </div>
  );
}

type Kind = 'category' | 'thing';

interface SubjectProps {
  entity: EntityMeta;
  value: SubjectValue;
  onChange: (value: SubjectValue) => void;
}

export function Subject({ entity, value, onChange }: SubjectProps) {
  const { t } = useTranslation();
  const id = useId();
  const name = useId();
  const category = linkField(entity, 'category');
  const things = linksField(entity, 'impacted_assets');
  const { data: mine = [] } = useLinkOptions(things?.to ?? '', MINE, '', things !== undefined);
  const both = category !== undefined && mine.length > 0;
  const [chosen, setChosen] = useState<Kind>('category');
  const kind: Kind = category === undefined || (value.impacted_assets?.length ?? 0) > 0 ? 'thing' : chosen;
  if (!category && mine.length === 0) {
    return null;
  }
  const kinds: Kind[] = ['category', 'thing'];
  return (
    <div className="flex flex-col gap-1.5">
      {both ? (
        <fieldset className="min-w-0">
          <legend className="mb-1.5 font-medium">{t('self_service.subject')}</legend>
          <div className="inline-flex rounded-md border p-0.5">
            {kinds.map((option) => (
              <label
                key={option}
                className="inline-flex h-7 cursor-pointer items-center rounded-sm px-2.5 font-medium text-muted-foreground has-checked:bg-selected has-checked:text-foreground has-focus-visible:outline-2 has-focus-visible:outline-accent pointer-coarse:h-11"
              >
                <input
                  type="radio"
                  name={name}
                  className="sr-only"
                  checked={kind === option}
                  onChange={() => {
                    setChosen(option);
                    // One subject: what was said of the other kind no longer stands.
                    onChange({});
                  }}
                />
                {t(`self_service.about_${option}`)}
              </label>
            ))}
          </div>
        </fieldset>
      ) : (
        <label htmlFor={id} className="font-medium">
          {t('self_service.subject')}
        </label>
      )}
      {kind === 'category' && category ? (
        <>
          {both && (
            <label htmlFor={id} className="sr-only">
              {category.label}
            </label>
          )}
          <Category
            field={category}
            id={id}
            value={value.category ?? null}
            onChange={(next) => onChange({ category: next })}
          />
        </>
      ) : (
        <Things
          options={mine}
          label={t('self_service.about_thing')}
          value={value.impacted_assets ?? []}
          onChange={(next) => {
            setChosen('thing');
            onChange({ impacted_assets: next });
          }}
        />
      )}
    </div>
  );
}
