import { Lock, MoreHorizontal } from 'lucide-react';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CommentData } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { RichText } from '@/records/fields/display/rich-text';
import { MarkdownArea } from '@/records/fields/input/rich-text';
import { isSubmitKey } from '@/records/form/keys';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Menu, MenuContent, MenuItem, MenuTrigger } from '@/ui/menu';
import { useRecordSession } from '../session';
import { Avatar, Moment } from './Person';
import { useChangeComment, useDeleteComment } from './useComments';

interface EditorProps {
  comment: CommentData;
  onDone: () => void;
}

function Editor({ comment, onDone }: EditorProps) {
  const { t } = useTranslation();
  const { entity, page } = useRecordSession();
  const id = useId();
  const [body, setBody] = useState(comment.body);
  const change = useChangeComment(entity, page.record.id);
  const save = () => {
    if (body.trim() === '' || change.isPending) {
      return;
    }
    change.mutate({ comment: comment.id, body: body.trim() }, { onSuccess: onDone });
  };
  return (
    <div className="flex flex-col gap-2">
      <MarkdownArea
        control={{ id, 'aria-label': t('comment.edit'), autoFocus: true }}
        text={body}
        onText={setBody}
        onKeyDown={(event) => {
          if (isSubmitKey(event)) {
            event.preventDefault();
            event.stopPropagation();
            save();
          }
        }}
      />
      {change.isError && (
        <p role="alert" className="text-danger">
          {problemText(change.error, t)}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onDone}>{t('action.cancel')}</Button>
        <Button variant="primary" disabled={body.trim() === '' || change.isPending} onClick={save}>
          {t('action.save')}
        </Button>
      </div>
    </div>
  );
}

interface CommentItemProps {
  comment: CommentData;
  author: string | null;
}

export function CommentItem({ comment, author }: CommentItemProps) {
  const { t } = useTranslation();
  const { entity, page, me } = useRecordSession();
  const [editing, setEditing] = useState(false);
  const remove = useDeleteComment(entity, page.record.id);
  const own = comment.created_by === me.id;
  return (
    <article
      aria-label={t('comment.by', { name: author ?? t('activity.system') })}
      className={cn(
        'rounded-md border px-3 py-2',
        comment.internal && 'border-[hsl(var(--amber-dot)/0.5)] bg-[hsl(var(--amber-surface)/0.4)]',
      )}
    >
      <header className="mb-1 flex min-h-6 items-center gap-2">
        <Avatar name={author} />
        <span className="min-w-0 truncate font-medium">{author ?? t('activity.system')}</span>
        <Moment at={comment.created_at} />
        {comment.internal && (
          <span className="inline-flex items-center gap-1 text-xs font-medium text-[hsl(var(--amber-text))]">
            <Lock aria-hidden className="size-3" />
            {t('comment.internal')}
          </span>
        )}
        {own && !editing && (
          <Menu>
            <MenuTrigger asChild>
              <Button
                variant="ghost"
                size="icon"
                className="ml-auto -mr-1.5 print:hidden"
                aria-label={t('comment.actions')}
              >
                <MoreHorizontal aria-hidden />
              </Button>
            </MenuTrigger>
            <MenuContent align="end">
              <MenuItem onSelect={() => setEditing(true)}>{t('action.edit')}</MenuItem>
              <MenuItem onSelect={() => void remove(comment.id)}>{t('action.delete')}</MenuItem>
            </MenuContent>
          </Menu>
        )}
      </header>
      {editing ? (
        <Editor comment={comment} onDone={() => setEditing(false)} />
      ) : (
        <RichText text={comment.body} />
      )}
    </article>
  );
}
