import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import { dropRecords } from '@/api/record-cache';
import { deleteRecord, recordKeys, restoreRecord } from '@/api/records';
import type { EntityMeta, RecordData } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';

interface ConfirmDelete {
  title: string;
  text: string;
  confirm: () => void;
}

/**
 * Deletes without asking, for there is a way back: the message that says so brings the record back. It
 * leaves the screen once the server has said so, and not before. `onGone` leads away from it.
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
    try {
      await deleteRecord(entity, record.id, token);
      dropRecords(client, entity.name, [record.id]);
      onGone();
      told(t('record.deleted', { name }), { label: t('action.undo'), run: () => void restore() });
      // What is on screen of it goes; its own query is not asked again, it would only say 404.
      await client.invalidateQueries({
        queryKey: [...recordKeys.all, entity.name],
        predicate: ({ queryKey }) => queryKey[2] !== 'record',
      });
    } catch (error) {
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
