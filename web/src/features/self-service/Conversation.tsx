/** What was said and sent, the oldest first as in a chat, and the place to answer. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { FileText, Send } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { commentsQuery, filesQuery } from '@/api/activity';
import { fileAddress, isPicture } from '@/api/files';
import { newId } from '@/api/ids';
import type { EntityMeta, FileData, Labels, Me, RecordPage } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { RichText } from '@/records/fields/display/rich-text';
import { useDraft } from '@/records/form/drafts';
import { isSubmitKey } from '@/records/form/keys';
import { Avatar, Moment } from '@/records/record/activity/Person';
import { useSendComment } from '@/records/record/activity/useComments';
import { UploadList } from '@/records/record/files/Files';
import { useUploads } from '@/records/record/files/useUploads';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Textarea } from '@/ui/input';
import { Attachments } from './Attachments';

interface Said {
  key: string;
  at: string;
  by: string | null;
  content: ReactNode;
}

function Attached({ file }: { file: FileData }) {
  return (
    <a
      href={fileAddress(file.id)}
      target="_blank"
      rel="noreferrer"
      className="inline-flex max-w-full items-center gap-2 font-medium hover:underline"
    >
      {isPicture(file) ? (
        <img
          src={fileAddress(file.id)}
          alt={file.name}
          loading="lazy"
          className="max-h-56 max-w-full rounded-md"
        />
      ) : (
        <>
          <FileText aria-hidden className="size-4 shrink-0" />
          <span className="truncate">{file.name}</span>
        </>
      )}
    </a>
  );
}

interface MessageProps {
  said: Said;
  name: string | null;
  own: boolean;
}

function Message({ said, name, own }: MessageProps) {
  const { t } = useTranslation();
  return (
    <li className={cn('flex gap-2', own && 'flex-row-reverse')}>
      {!own && <Avatar name={name} className="mt-1" />}
      <article
        aria-label={t('comment.by', { name: own ? t('self_service.you') : (name ?? t('activity.system')) })}
        className={cn(
          'max-w-[85%] min-w-0 rounded-lg px-3 py-2 text-base',
          own ? 'bg-selected' : 'bg-surface',
        )}
      >
        <p className="mb-0.5 flex items-baseline gap-2 text-sm">
          <span className="truncate font-medium">
            {own ? t('self_service.you') : (name ?? t('activity.system'))}
          </span>
          <Moment at={said.at} />
        </p>
        {said.content}
      </article>
    </li>
  );
}

interface ReplyProps {
  entity: EntityMeta;
  id: string;
  uploads: ReturnType<typeof useUploads>;
}

function text(stored: unknown): string | null {
  return typeof stored === 'string' && stored !== '' ? stored : null;
}

function Reply({ entity, id, uploads }: ReplyProps) {
  const { t } = useTranslation();
  const field = useId();
  const [stored, setBody] = useDraft(`${entity.name}.${id}.reply`, text);
  const body = stored ?? '';
  const [files, setFiles] = useState<File[]>([]);
  const key = useRef(newId());
  const send = useSendComment(entity, id);
  const nothing = body.trim() === '' && files.length === 0;
  const submit = async () => {
    if (nothing || send.isPending) {
      return;
    }
    if (files.length > 0) {
      void uploads.add(files);
      setFiles([]);
    }
    if (body.trim() === '') {
      return;
    }
    // Never internal: whoever asks for help speaks to everybody who works on it.
    const comment = { id: key.current, body: body.trim() };
    send.mutate(entity.internal_comments ? { ...comment, internal: false } : comment, {
      onSuccess: () => {
        key.current = newId();
        setBody(null);
      },
    });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isSubmitKey(event)) {
      event.preventDefault();
      void submit();
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      className="flex flex-col gap-2 rounded-lg border p-3"
    >
      <label htmlFor={field} className="font-medium">
        {t('self_service.reply')}
      </label>
      <Textarea
        id={field}
        className="field-sizing-content max-h-60"
        placeholder={t('self_service.reply_hint')}
        value={body}
        onChange={(event) => setBody(event.target.value === '' ? null : event.target.value)}
        onKeyDown={onKeyDown}
      />
      {send.isError && (
        <p role="alert" className="text-danger">
          {problemText(send.error, t)}
        </p>
      )}
      <div className="flex flex-wrap items-end justify-between gap-2">
        {entity.files && <Attachments files={files} onChange={setFiles} />}
        <Button
          type="submit"
          variant="primary"
          className="ml-auto"
          aria-keyshortcuts="Control+Enter Meta+Enter"
          disabled={nothing || send.isPending}
        >
          <Send aria-hidden /> {t('comment.send')}
        </Button>
      </div>
    </form>
  );
}

/** Everything on one line of time: the request itself, the comments, the files. */
function useSaid(entity: EntityMeta, page: RecordPage): { said: Said[]; labels: Labels } {
  const { record } = page;
  const comments = useInfiniteQuery({ ...commentsQuery(entity, record.id), enabled: entity.comments });
  const files = useQuery({ ...filesQuery(entity, record.id), enabled: entity.files });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = comments;
  useEffect(() => {
    // A conversation is read from its beginning, and what one person wrote about one request is not much.
    if (hasNextPage && !isFetchingNextPage) {
      void fetchNextPage();
    }
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const first: Said = {
    key: 'request',
    at: String(record.created_at),
    by: typeof record.requester === 'string' ? record.requester : null,
    content: <RichText text={String(record.description || record.title || '')} />,
  };
  const spoken = (comments.data?.pages.flatMap(({ items }) => items) ?? [])
    .filter(({ internal }) => !internal)
    .map(
      (comment): Said => ({
        key: comment.id,
        at: comment.created_at,
        by: comment.created_by ?? null,
        content: <RichText text={comment.body} />,
      }),
    );
  const sent = (files.data?.items ?? []).map(
    (file): Said => ({
      key: file.id,
      at: file.created_at,
      by: file.created_by ?? null,
      content: <Attached file={file} />,
    }),
  );
  const labels = Object.assign(
    {},
    page.labels,
    files.data?.labels,
    ...(comments.data?.pages ?? []).map((part) => part.labels ?? {}),
  ) as Labels;
  const later = [...spoken, ...sent].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return { said: [first, ...later], labels };
}

interface ConversationProps {
  entity: EntityMeta;
  page: RecordPage;
  me: Me;
}

export function Conversation({ entity, page, me }: ConversationProps) {
  const { t } = useTranslation();
  const { said, labels } = useSaid(entity, page);
  const uploads = useUploads(entity, page.record.id);
  return (
    <section aria-label={t('self_service.conversation')} className="flex flex-col gap-3">
      <ol className="flex flex-col gap-3">
        {said.map((one) => (
          <Message
            key={one.key}
            said={one}
            name={one.by === null ? null : (labels[one.by] ?? null)}
            own={one.by === me.id}
          />
        ))}
      </ol>
      <UploadList uploads={uploads} />
      {entity.comments && <Reply entity={entity} id={page.record.id} uploads={uploads} />}
    </section>
  );
}
