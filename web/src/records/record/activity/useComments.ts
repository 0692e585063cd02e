import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { activityKeys, addComment, changeComment, deletePart, restorePart } from '@/api/activity';
import type { EntityMeta } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';

function useReadAgain(entity: EntityMeta, id: string) {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: activityKeys.comments(entity.name, id) });
}

export function useSendComment(entity: EntityMeta, id: string) {
  const readAgain = useReadAgain(entity, id);
  return useMutation({
    mutationFn: (comment: { id: string; body: string; internal?: boolean }) =>
      addComment(entity, id, comment),
    // It is sent when it is stored, not when the list has been read again.
    onSuccess: () => {
      void readAgain();
    },
  });
}

export function useChangeComment(entity: EntityMeta, id: string) {
  const readAgain = useReadAgain(entity, id);
  return useMutation({
    mutationFn: ({ comment, body }: { comment: string; body: string }) => changeComment(comment, body),
    onSuccess: readAgain,
  });
}

/** Deletes at once; the message that says so brings it back. */
export function useDeleteComment(entity: EntityMeta, id: string) {
  const { t } = useTranslation();
  const readAgain = useReadAgain(entity, id);
  return async (comment: string) => {
    try {
      await deletePart('comments', comment);
      told(t('comment.deleted'), {
        label: t('action.undo'),
        run: () =>
          void restorePart('comments', comment)
            .catch((error: unknown) => failed(t('comment.not_restored'), problemText(error, t)))
            .then(readAgain),
      });
    } catch (error) {
      failed(t('comment.not_deleted'), problemText(error, t));
    }
    await readAgain();
  };
}
