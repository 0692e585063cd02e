/** Asking for help: what, in more words, about what; with pictures. */
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type KeyboardEvent, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { newId } from '@/api/ids';
import { fieldNamed } from '@/api/meta';
import { createRecord, recordKeys } from '@/api/records';
import type { EntityMeta, FieldMeta, RecordData } from '@/api/types';
import { attachFile } from '@/api/upload';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { useDraft } from '@/records/form/drafts';
import { ErrorSummary } from '@/records/form/ErrorSummary';
import { FormField, fieldId } from '@/records/form/FormField';
import { isSubmitKey } from '@/records/form/keys';
import { filledOnly } from '@/records/form/layout';
import { useErrors } from '@/records/form/useErrors';
import { Button } from '@/ui/button';
import { Attachments } from './Attachments';
import { Subject, type SubjectValue } from './Subject';

interface Draft {
  id: string;
  values: Record<string, unknown>;
}

function checkDraft(stored: unknown): Draft | null {
  const draft = stored as Partial<Draft> | null;
  return typeof draft?.id === 'string' && typeof draft.values === 'object' && draft.values !== null
    ? (draft as Draft)
    : null;
}

/** Who asks for help writes words, not Markdown; and is asked in words of every day. */
function useAsked(entity: EntityMeta): FieldMeta[] {
  const { t } = useTranslation();
  return ['title', 'description'].flatMap((name): FieldMeta[] => {
    const field = fieldNamed(entity, name);
    if (!field || field.writable === false) {
      return [];
    }
    const asked = { ...field, label: t(`self_service.ask_${name}`), help: t(`self_service.hint_${name}`) };
    return [asked.type === 'rich_text' ? { ...asked, type: 'long_text' } : asked];
  });
}

interface Sending {
  name: string;
  done: number;
}

function useSend(entity: EntityMeta) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [sending, setSending] = useState<Sending | 'text' | null>(null);
  const show = (record: RecordData) =>
    void navigate({
      to: '/p/$page',
      params: { page: 'self-service' },
      search: { open: typeof record.number === 'string' ? record.number : record.id },
    });
  const send = async (data: Record<string, unknown>, id: string, files: File[]): Promise<void> => {
    setSending('text');
    try {
      const { record } = await createRecord(entity, data, id);
      for (const file of files) {
        setSending({ name: file.name, done: 0 });
        try {
          await attachFile(entity.collection, record.id, file, {
            onProgress: (done) => setSending({ name: file.name, done }),
          });
        } catch (error) {
          // The request is there; the file can be sent again from its page.
          failed(t('self_service.not_attached', { name: file.name }), problemText(error, t));
        }
      }
      told(t('self_service.sent', { number: String(record.number ?? '') }), {
        label: t('action.open'),
        run: () => show(record),
      });
      await client.invalidateQueries({ queryKey: recordKeys.lists(entity.name) });
    } finally {
      setSending(null);
    }
  };
  return { send, sending };
}

export function AskForm({ entity }: { entity: EntityMeta }) {
  const { t } = useTranslation();
  const prefix = useId();
  const form = useRef<HTMLFormElement>(null);
  const fields = useAsked(entity);
  const [stored, setDraft] = useDraft('self-service.ask', checkDraft);
  const [blank, setBlank] = useState((): Draft => ({ id: newId(), values: {} }));
  const [files, setFiles] = useState<File[]>([]);
  const errors = useErrors(fields, entity.fields);
  const { send, sending } = useSend(entity);
  const { id, values } = stored ?? blank;
  const change = (part: Record<string, unknown>) =>
    setDraft((current) => ({ id, values: { ...(current ?? blank).values, ...part } }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (sending !== null || !errors.check(fields, values)) {
      return;
    }
    try {
      await send({ ...filledOnly(entity, values), id }, id, files);
      setDraft(null);
      setBlank({ id: newId(), values: {} });
      setFiles([]);
    } catch (error) {
      errors.refuse(error);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isSubmitKey(event)) {
      event.preventDefault();
      form.current?.requestSubmit();
    }
  };
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => void submit(event)}
      onKeyDown={onKeyDown}
      className="flex flex-col gap-4 rounded-lg border p-4"
    >
      <ErrorSummary errors={errors.errors} attempt={errors.attempt} fields={fields} prefix={prefix} />
      {fields.map((field) => (
        <FormField
          key={field.name}
          id={fieldId(prefix, field.name)}
          field={field}
          value={values[field.name]}
          onChange={(value) => {
            errors.forget(field.name);
            change({ [field.name]: value });
          }}
          onProblem={(text) => errors.setProblem(field.name, text)}
          error={errors.errorOf(field.name)}
          labels={{}}
          states={[]}
        />
      ))}
      <Subject
        entity={entity}
        value={values as SubjectValue}
        onChange={(subject) => change({ category: null, impacted_assets: null, ...subject })}
      />
      {entity.files && <Attachments files={files} onChange={setFiles} disabled={sending !== null} />}
      {sending !== null && sending !== 'text' && (
        <p role="status" className="flex items-center gap-2">
          <span className="min-w-0 truncate">{t('files.sending', { name: sending.name })}</span>
          <progress className="flex-1 accent-accent" value={sending.done} aria-label={sending.name} />
        </p>
      )}
      <Button
        type="submit"
        variant="primary"
        size="large"
        className="sm:self-start"
        disabled={sending !== null}
      >
        {t(sending === null ? 'self_service.send' : 'self_service.sending')}
      </Button>
    </form>
  );
}
