/** The form of a new record: short at first, whole on request. What was typed survives a reload. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type KeyboardEvent, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { newId } from '@/api/ids';
import { isProblem } from '@/api/problem';
import { createRecord, recordKeys } from '@/api/records';
import type { EntityMeta, FieldMeta, Labels, RecordPage } from '@/api/types';
import { told } from '@/feedback/toasts';
import { Button } from '@/ui/button';
import { Checkbox } from '@/ui/checkbox';
import { cn } from '@/ui/cn';
import { useDraft } from './drafts';
import { ErrorSummary } from './ErrorSummary';
import { FormField, fieldId } from './FormField';
import { isSubmitKey } from './keys';
import { filledOnly, firstValues, fullSections, isWide, quickFields, type Section } from './layout';
import { type Errors, useErrors } from './useErrors';

interface Draft {
  /** Made once: the same form sent twice makes one record. */
  id: string;
  values: Record<string, unknown>;
}

function checkDraft(stored: unknown): Draft | null {
  const draft = stored as Partial<Draft> | null;
  const sound = typeof draft?.id === 'string' && typeof draft.values === 'object' && draft.values !== null;
  return sound ? (draft as Draft) : null;
}

export interface CreateFormProps {
  entity: EntityMeta;
  /** Values it opens with: the link to the record it was created from, a title that was typed. */
  initial?: Record<string, unknown>;
  /** Titles of the records among them. */
  labels?: Labels;
  full: boolean;
  onFull: () => void;
  onCancel: () => void;
  onCreated: (id: string) => void;
  onDirty: (dirty: boolean) => void;
}

interface SectionFieldsProps {
  entity: EntityMeta;
  section: Section;
  prefix: string;
  values: Record<string, unknown>;
  labels: Labels;
  errors: Errors;
  first: FieldMeta | undefined;
  onChange: (name: string, value: unknown) => void;
}

function SectionFields({
  entity,
  section,
  prefix,
  values,
  labels,
  errors,
  first,
  onChange,
}: SectionFieldsProps) {
  return (
    <fieldset className="@container flex min-w-0 flex-col gap-3">
      {section.label && <legend className="mb-2 font-semibold">{section.label}</legend>}
      <div className="grid gap-x-4 gap-y-3 @md:grid-cols-2">
        {section.fields.map((field) => (
          <FormField
            key={field.name}
            id={fieldId(prefix, field.name)}
            field={field}
            value={values[field.name]}
            onChange={(value) => onChange(field.name, value)}
            onProblem={(text) => errors.setProblem(field.name, text)}
            error={errors.errorOf(field.name)}
            errors={errors.errors.inside[field.name]}
            autoFocus={field === first}
            labels={labels}
            states={[]}
            className={cn(isWide(field, entity) && '@md:col-span-2')}
          />
        ))}
      </div>
    </fieldset>
  );
}

/** One toast for what was created, with the way to it. */
function useTellCreated(entity: EntityMeta) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return ({ record }: RecordPage) => {
    const title = entity.title_field ? record[entity.title_field] : undefined;
    const name = [record.number, title].filter((part) => typeof part === 'string').join(' ');
    told(name ? t('form.created_named', { name }) : t('record.created', { label: entity.label }), {
      label: t('action.open'),
      run: () =>
        void navigate({
          to: '/r/$collection/$id',
          params: { collection: entity.collection, id: record.id },
        }),
    });
  };
}

export function CreateForm(props: CreateFormProps) {
  const { entity, initial, labels = {}, full, onCreated } = props;
  const { t } = useTranslation();
  const client = useQueryClient();
  const prefix = useId();
  const form = useRef<HTMLFormElement>(null);
  const tell = useTellCreated(entity);
  const fresh = (): Draft => ({ id: newId(), values: firstValues(entity, initial ?? {}) });
  // A form that was opened from another record is about that record: no draft of an empty one belongs there.
  const [draft, setDraft] = useDraft(initial ? null : `${entity.name}.new`, checkDraft);
  const [blank, setBlank] = useState(fresh);
  const [another, setAnother] = useState(false);
  /** What a rule wants to know before it lets the record in. */
  const [question, setQuestion] = useState<{ text: string; token: string } | null>(null);
  const { id, values } = draft ?? blank;
  const sections = full ? fullSections(entity) : [{ name: 'quick', label: '', fields: quickFields(entity) }];
  const shown = sections.flatMap(({ fields }) => fields);
  const more = fullSections(entity).flatMap(({ fields }) => fields).length > quickFields(entity).length;
  const errors = useErrors(shown, entity.fields);

  const change = (name: string, value: unknown) => {
    errors.forget(name);
    setQuestion(null);
    setDraft((current) => ({ id, values: { ...(current?.values ?? values), [name]: value } }));
    props.onDirty(true);
  };
  const empty = () => {
    setDraft(null);
    setBlank(fresh());
    errors.clear();
    props.onDirty(false);
  };
  const create = useMutation({
    mutationFn: (token?: string) =>
      createRecord(entity, { ...filledOnly(entity, values), id }, token ? `${id}.sure` : id, token),
    onSuccess: async (page) => {
      tell(page);
      empty();
      await client.invalidateQueries({ queryKey: recordKeys.lists(entity.name) });
      if (another) {
        form.current?.querySelector<HTMLElement>('input, textarea, select')?.focus();
      } else {
        onCreated(page.record.id);
      }
    },
    onError: (error) => {
      const token = isProblem(error) ? error.document.confirm_token : undefined;
      if (token) {
        setQuestion({ text: error.message, token });
      } else {
        errors.refuse(error);
      }
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // A form opened from a field of another one: React would hand the event on to that one.
    event.stopPropagation();
    if (!create.isPending && errors.check(shown, values)) {
      setQuestion(null);
      create.mutate(undefined);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isSubmitKey(event)) {
      event.preventDefault();
      event.stopPropagation();
      form.current?.requestSubmit();
    }
  };
  const restored = draft !== null && draft.id !== blank.id;
  return (
    <form
      ref={form}
      onSubmit={submit}
      onKeyDown={onKeyDown}
      noValidate
      className="flex min-h-0 flex-1 flex-col"
    >
      <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto p-4">
        <ErrorSummary errors={errors.errors} attempt={errors.attempt} fields={shown} prefix={prefix} />
        {question && (
          <div
            role="alert"
            className="flex flex-wrap items-center justify-between gap-2 rounded-md bg-selected px-3 py-1.5"
          >
            {question.text}
            <Button
              onClick={() => {
                setQuestion(null);
                create.mutate(question.token);
              }}
            >
              {t('record.confirm')}
            </Button>
          </div>
        )}
        {restored && (
          <p
            role="status"
            className="flex items-center justify-between gap-2 rounded-md bg-selected px-3 py-1.5"
          >
            {t('form.restored')}
            <Button variant="ghost" onClick={empty}>
              {t('form.start_again')}
            </Button>
          </p>
        )}
        {sections.map((section) => (
          <SectionFields
            key={section.name}
            entity={entity}
            section={section}
            prefix={prefix}
            values={values}
            labels={labels}
            errors={errors}
            first={shown[0]}
            onChange={change}
          />
        ))}
      </div>
      <div className="flex shrink-0 flex-wrap items-center gap-2 border-t px-4 py-2.5">
        {more && !full && (
          <Button variant="ghost" className="-ml-2.5" onClick={props.onFull}>
            {t('form.more_fields')}
          </Button>
        )}
        <label className="ml-auto inline-flex items-center gap-1.5 pointer-coarse:min-h-11">
          <Checkbox checked={another} onCheckedChange={(checked) => setAnother(checked === true)} />
          {t('form.another')}
        </label>
        <Button className="max-sm:hidden" onClick={props.onCancel}>
          {t('action.cancel')}
        </Button>
        <Button type="submit" variant="primary" disabled={create.isPending}>
          {t('action.create')}
        </Button>
      </div>
    </form>
  );
}
