import { useCallback } from 'react';
import type { EntityMeta, FieldMeta, RecordData, RecordPage } from '@/api/types';
import { useDraft, withoutSecrets } from '@/records/form/drafts';
import { isWritable } from '@/records/form/layout';
import { checkBuffer, type EditBuffer, overlaps, withEdit, withoutEdit } from './buffer';

/** The changes of one record, kept until they are saved or given up. */
export function useEdit(entity: EntityMeta, page: RecordPage) {
  const { record, can } = page;
  const editable = (field: FieldMeta) => can.edit && isWritable(field);
  const check = (stored: unknown) =>
    checkBuffer(stored, (name) => entity.fields.some((field) => field.name === name && editable(field)));
  const store = useCallback(
    (buffer: EditBuffer) => {
      const secret = (name: string) =>
        entity.fields.some(
          (field) => field.name === name && (field.type === 'secret' || field.type === 'password'),
        );
      const changes = withoutSecrets(buffer.changes, secret);
      return Object.keys(changes).length === 0 ? null : { ...buffer, changes };
    },
    [entity],
  );
  const [buffer, setBuffer] = useDraft(`${entity.name}.${record.id}`, check, store);
  const changed = entity.fields.filter((field) => buffer !== null && field.name in buffer.changes);
  const values: RecordData = buffer === null ? record : { ...record, ...buffer.changes };
  return {
    buffer,
    setBuffer,
    /** The record with what was changed of it. */
    values,
    /** The fields that were changed, in the order of the form. */
    changed,
    editable,
    overlaps: overlaps(buffer, record, entity.fields),
    edit: (field: FieldMeta, value: unknown) =>
      setBuffer((current) => withEdit(current, record, field, value)),
    revert: (names: string[]) => setBuffer((current) => withoutEdit(current, names)),
    discard: () => setBuffer(null),
  };
}

export type Edit = ReturnType<typeof useEdit>;
