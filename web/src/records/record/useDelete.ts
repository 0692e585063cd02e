import { type InfiniteData, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import { deleteRecord, recordKeys, restoreRecord } from '@/api/records';
import type { EntityMeta, ListPage, RecordData } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';

type Pages = InfiniteData<ListPage, string | null>;

function takeFromLists(client: QueryClient, entity: EntityMeta, id: string): void {
  client.setQueriesData<Pages>({ queryKey: recordKeys.lists(entity.name) }, (data) =>
    data?.pages.some(({ items }) => items.some((item) => item.id === id))
      ? {
          ...data,
          pages: data.pages.map((page) => ({
            ...page,
            items: page.items.filter((item) => item.id !== id),
            total: page.total === null ? null : Math.max(0, page.total - 1),
          })),
        }
      : data,
  );
}

interface ConfirmDelete {
  title: string;
  text: string;
  confirm: () => void;
}

/**
 * Deletes without asking, for there is a way back: the record leaves the screen at once, and the message
 * that says so brings it back. `onGone` leads away from it.
 */
export function useDelete(entity: EntityMeta, record: RecordData, name: string, onGone: () => void) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [question, setQuestion] = useState<ConfirmDelete | null>(null);
  const readAgain = () => client.invalidateQueries({ queryKey: [...recordKeys.all, entity.name] });

  const restore = async () => {
    try {
      await restoreRecord(entity, record.id);
      told(t('record.restored', { name }));
    } catch (error) {
      failed(t('record.not_restored', { name }), problemText(error, t));
    }
    await readAgain();
  };

  const remove = async (token?: string): Promise<void> => {
    setQuestion(null);
    takeFromLists(client, entity, record.id);
    try {
      await deleteRecord(entity, record.id, token);
      onGone();
      told(t('record.deleted', { name }), { label: t('action.undo'), run: () => void restore() });
      // What is on screen of it goes; its own query is not asked again, it would only say 404.
      await client.invalidateQueries({
        queryKey: [...recordKeys.all, entity.name],
        predicate: ({ queryKey }) => queryKey[2] !== 'record',
      });
    } catch (error) {
      await readAgain();
      const confirm = isProblem(error) ? error.document.confirm_token : undefined;
      if (isProblem(error) && error.code === 'confirmation_required' && confirm) {
        setQuestion({
          title: error.document.title,
          text: error.document.detail ?? '',
          confirm: () => void remove(confirm),
        });
      } else {
        failed(t('record.not_deleted', { name }), problemText(error, t));
      }
    }
  };
  return {
    remove: () => void remove(),
    restore: () => void restore(),
    question,
    leaveQuestion: () => setQuestion(null),
  };
}
