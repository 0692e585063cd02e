/** The short dialog that creates a record: the fields the entity names as quick. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { newId } from '@/api/ids';
import { isProblem } from '@/api/problem';
import { createRecord, recordKeys } from '@/api/records';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { told } from '@/feedback/toasts';
import { FieldInput } from '@/records/fields/FieldInput';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';

export interface CreateDialogProps {
  entity: EntityMeta;
  onClose: () => void;
  onCreated: (id: string) => void;
}

function quickFields(entity: EntityMeta): FieldMeta[] {
  const writable = entity.fields.filter((field) => field.writable !== false && !field.system);
  const quick = entity.form.quick.flatMap((name) => writable.find((field) => field.name === name) ?? []);
  const required = writable.filter((field) => field.required && !quick.includes(field));
  return quick.length > 0 ? [...quick, ...required] : writable.slice(0, 6);
}

export function CreateDialog({ entity, onClose, onCreated }: CreateDialogProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const prefix = useId();
  const fields = quickFields(entity);
  const [id] = useState(newId);
  const [values, setValues] = useState<Record<string, unknown>>(() =>
    Object.fromEntries(fields.map((field) => [field.name, field.default ?? null])),
  );
  const create = useMutation({
    mutationFn: () => createRecord(entity, { id, ...values }, id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: recordKeys.lists(entity.name) });
      told(t('record.created', { label: entity.label }));
      onCreated(id);
    },
  });
  const errors = isProblem(create.error) ? create.error.fieldErrors : [];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={t('grid.create', { label: entity.label })} closeLabel={t('action.close')}>
        <form onSubmit={submit} noValidate className="flex flex-col gap-3">
          {fields.map((field, at) => {
            const error = errors.find((candidate) => candidate.field === field.name);
            const fieldId = `${prefix}-${field.name}`;
            return (
              <div key={field.name} className="flex flex-col gap-1">
                <label htmlFor={fieldId} className="font-medium">
                  {field.label}
                </label>
                <FieldInput
                  id={fieldId}
                  field={field}
                  value={values[field.name]}
                  onChange={(value) => setValues((current) => ({ ...current, [field.name]: value }))}
                  invalid={error !== undefined}
                  describedBy={error ? `${fieldId}-error` : undefined}
                  autoFocus={at === 0}
                  labels={{}}
                  states={entity.states}
                />
                {error && (
                  <p id={`${fieldId}-error`} className="text-danger">
                    {error.message}
                  </p>
                )}
              </div>
            );
          })}
          {create.isError && errors.length === 0 && (
            <p role="alert" className="rounded-md bg-danger-surface px-2.5 py-2 text-danger">
              {problemText(create.error, t)}
            </p>
          )}
          <div className="mt-1 flex justify-end gap-2">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="submit" variant="primary" disabled={create.isPending}>
              {t('grid.create', { label: entity.label })}
            </Button>
          </div>
        </form>
      </DialogContent>
    </Dialog>
  );
}
