import { Lock, Send } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { newId } from '@/api/ids';
import { problemText } from '@/feedback/problem-text';
import { MarkdownArea } from '@/records/fields/input/rich-text';
import { useDraft } from '@/records/form/drafts';
import { isSubmitKey } from '@/records/form/keys';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { useRecordSession } from '../session';
import { useSendComment } from './useComments';

interface Draft {
  id: string;
  body: string;
  internal: boolean;
}

function checkDraft(stored: unknown): Draft | null {
  const draft = stored as Partial<Draft> | null;
  return typeof draft?.id === 'string' && typeof draft.body === 'string'
    ? { id: draft.id, body: draft.body, internal: draft.internal === true }
    : null;
}

/** Everybody, or only those who work on it: never to be mistaken for one another. */
function Audience({ internal, onChange }: { internal: boolean; onChange: (internal: boolean) => void }) {
  const { t } = useTranslation();
  const name = useId();
  return (
    <fieldset className="flex min-w-0 rounded-md border p-0.5">
      <legend className="sr-only">{t('comment.audience')}</legend>
      {[false, true].map((value) => (
        <label
          key={String(value)}
          className={cn(
            'inline-flex h-6 cursor-pointer items-center gap-1 rounded-sm px-2 text-xs font-medium text-muted-foreground pointer-coarse:h-10',
            'has-checked:bg-selected has-checked:text-foreground has-focus-visible:outline-2 has-focus-visible:outline-accent',
          )}
        >
          <input
            type="radio"
            name={name}
            className="sr-only"
            checked={internal === value}
            onChange={() => onChange(value)}
          />
          {value && <Lock aria-hidden className="size-3" />}
          {t(value ? 'comment.internal' : 'comment.public')}
        </label>
      ))}
    </fieldset>
  );
}

/** Where one writes. What was begun survives a reload; Ctrl/Cmd+Enter sends. */
export function Composer() {
  const { t } = useTranslation();
  const { entity, page } = useRecordSession();
  const { record } = page;
  const id = useId();
  const [stored, setDraft] = useDraft(`${entity.name}.${record.id}.comment`, checkDraft, keepWords);
  const blank = useRef<Draft>({ id: newId(), body: '', internal: false });
  const draft = stored ?? blank.current;
  const latest = useRef(draft);
  useEffect(() => {
    latest.current = draft;
  });
  const internal = entity.internal_comments && draft.internal;
  const send = useSendComment(entity, record.id);
  const submit = () => {
    if (draft.body.trim() === '' || send.isPending) {
      return;
    }
    const comment = { id: draft.id, body: draft.body.trim() };
    send.mutate(entity.internal_comments ? { ...comment, internal } : comment, {
      onSuccess: () => {
        // What was written or chosen while it was on its way stays.
        const { body, internal } = latest.current;
        blank.current = { id: newId(), body: body === draft.body ? '' : body, internal };
        setDraft(blank.current.body === '' ? null : blank.current);
      },
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isSubmitKey(event) && event.key === 'Enter') {
      event.preventDefault();
      event.stopPropagation();
      submit();
    }
  };
  return (
    <form
      className="flex flex-col gap-2 print:hidden"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label htmlFor={id} className="sr-only">
        {t('comment.write')}
      </label>
      <MarkdownArea
        compact
        control={{ id, placeholder: t(internal ? 'comment.write_internal' : 'comment.write') }}
        text={draft.body}
        onText={(body) => setDraft({ ...draft, body })}
        onKeyDown={onKeyDown}
        className={internal ? 'border-[hsl(var(--amber-dot))] bg-[hsl(var(--amber-surface)/0.5)]' : undefined}
      />
      {send.isError && (
        <p role="alert" className="text-danger">
          {problemText(send.error, t)}
        </p>
      )}
      <div className="flex flex-wrap items-center gap-2">
        {entity.internal_comments && (
          <Audience internal={internal} onChange={(value) => setDraft({ ...draft, internal: value })} />
        )}
        <Button
          type="submit"
          variant="primary"
          className="ml-auto"
          aria-keyshortcuts="Control+Enter Meta+Enter"
          disabled={draft.body.trim() === '' || send.isPending}
        >
          <Send aria-hidden />
          {t(internal ? 'comment.send_internal' : 'comment.send')}
        </Button>
      </div>
    </form>
  );
}

/** An empty draft need not be kept. */
function keepWords(draft: Draft): Draft | null {
  return draft.body === '' ? null : draft;
}
