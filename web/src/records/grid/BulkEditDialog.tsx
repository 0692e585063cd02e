import { Check, CircleAlert } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, FieldMeta, RecordData } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { told } from '@/feedback/toasts';
import { FieldInput } from '@/records/fields/FieldInput';
import { kindOf } from '@/records/fields/lookup';
import { Button } from '@/ui/button';
import { Checkbox } from '@/ui/checkbox';
import { Dialog, DialogContent } from '@/ui/dialog';
import { Select } from '@/ui/input';
import { type BulkReport, editOperations, useBulk } from './bulk';
import { recordName } from './GridRow';

interface BulkEditDialogProps {
  entity: EntityMeta;
  records: RecordData[];
  onClose: () => void;
  /** The records that could not be changed stay selected. */
  onDone: (failed: string[]) => void;
}

/** Fields that make sense to set alike on many records: not what must be unique or belongs to one. */
function editable(entity: EntityMeta): FieldMeta[] {
  return entity.fields.filter(
    (field) =>
      field.writable !== false &&
      !field.system &&
      field.name !== entity.title_field &&
      !['children', 'password', 'secret', 'file', 'image'].includes(field.type) &&
      kindOf(field).Input !== null,
  );
}

function Results({ entity, report }: { entity: EntityMeta; report: BulkReport }) {
  const { t } = useTranslation();
  return (
    <div>
      <p role="status" className="font-medium">
        {t('bulk.result', { done: report.done.length, failed: report.failed.length })}
      </p>
      <ul className="mt-2 max-h-80 overflow-y-auto rounded-md border">
        {report.outcomes.map(({ record, problem }) => (
          <li key={record.id} className="flex items-start gap-2 border-b px-2.5 py-1.5 last:border-b-0">
            {problem === null ? (
              <Check aria-hidden className="mt-0.5 size-4 shrink-0 text-muted-foreground" />
            ) : (
              <CircleAlert aria-hidden className="mt-0.5 size-4 shrink-0 text-danger" />
            )}
            <span className="min-w-0 flex-1">
              <span className="block truncate">{recordName(entity, record)}</span>
              {problem !== null && (
                <span className="block text-danger">
                  {problem.errors?.map(({ message }) => message).join(' ') ||
                    problem.detail ||
                    problem.title ||
                    t('problem.unexpected')}
                </span>
              )}
            </span>
            <span className="sr-only">{problem === null ? t('bulk.changed') : t('bulk.not_changed')}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The acts of the dialog: run, count, and end in a toast or in a report. */
function useBulkEdit({ entity, records, onClose, onDone }: BulkEditDialogProps) {
  const { t } = useTranslation();
  const { run } = useBulk(entity);
  const [progress, setProgress] = useState<number | null>(null);
  const [report, setReport] = useState<BulkReport | null>(null);
  const [error, setError] = useState<unknown>(null);
  const submit = async (field: string, value: unknown) => {
    setProgress(0);
    setError(null);
    try {
      const result = await run(records, editOperations(records, field, value), setProgress);
      onDone(result.failed.map(({ record }) => record.id));
      if (result.failed.length === 0) {
        told(t('bulk.edited', { count: result.done.length }));
        onClose();
      } else {
        setReport(result);
      }
    } catch (problem) {
      setError(problem);
    } finally {
      setProgress(null);
    }
  };
  return { submit, progress, report, error };
}

interface NewValueProps {
  entity: EntityMeta;
  field: FieldMeta;
  count: number;
  value: unknown;
  onChange: (value: unknown) => void;
  /** Nothing chosen yet must not mean "empty it": that has to be said. */
  clears: boolean;
  onClears: (clears: boolean) => void;
}

function NewValue({ entity, field, count, value, onChange, clears, onClears }: NewValueProps) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="font-medium">
        {t('bulk.value')}
      </label>
      <FieldInput
        id={id}
        field={field}
        value={value}
        onChange={onChange}
        disabled={clears}
        labels={{}}
        states={entity.states}
      />
      {kindOf(field).isEmpty(value) && !field.required && (
        <label className="flex items-center gap-2 pointer-coarse:min-h-11">
          <Checkbox checked={clears} onCheckedChange={(on) => onClears(on === true)} />
          {t('bulk.will_empty', { field: field.label, count })}
        </label>
      )}
    </div>
  );
}

function EditForm({ entity, count, edit, onClose }: EditFormProps) {
  const { t } = useTranslation();
  const fields = editable(entity);
  const [field, setField] = useState<FieldMeta | null>(null);
  const [value, setValue] = useState<unknown>(null);
  const [clears, setClears] = useState(false);
  const { submit, progress, error } = edit;
  const ready = field !== null && progress === null && (clears || !kindOf(field).isEmpty(value));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (field && ready) {
      void submit(field.name, clears ? null : value);
    }
  };
  const pick = (name: string) => {
    setField(fields.find((candidate) => candidate.name === name) ?? null);
    setValue(null);
    setClears(false);
  };
  return (
    <form onSubmit={onSubmit} className="flex flex-col gap-3">
      <label className="flex flex-col gap-1">
        <span className="font-medium">{t('bulk.field')}</span>
        <Select value={field?.name ?? ''} onChange={({ target }) => pick(target.value)}>
          <option value="">{t('field.choose')}</option>
          {fields.map(({ name, label }) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </Select>
      </label>
      {field && (
        <NewValue
          key={field.name}
          entity={entity}
          field={field}
          count={count}
          value={value}
          onChange={setValue}
          clears={clears}
          onClears={setClears}
        />
      )}
      {error !== null && (
        <p role="alert" className="rounded-md bg-danger-surface px-2.5 py-2 text-danger">
          {problemText(error, t)}
        </p>
      )}
      {progress !== null && (
        <progress className="w-full" value={progress} max={count} aria-label={t('bulk.progress')} />
      )}
      <div className="mt-2 flex justify-end gap-2">
        <Button onClick={onClose}>{t('action.cancel')}</Button>
        <Button type="submit" variant="primary" disabled={!ready}>
          {t('bulk.edit_submit', { count })}
        </Button>
      </div>
    </form>
  );
}

interface EditFormProps {
  entity: EntityMeta;
  count: number;
  edit: ReturnType<typeof useBulkEdit>;
  onClose: () => void;
}

export function BulkEditDialog(props: BulkEditDialogProps) {
  const { t } = useTranslation();
  const { entity, onClose } = props;
  const edit = useBulkEdit(props);
  const count = props.records.length;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={t('bulk.edit_title', { count })} closeLabel={t('action.close')}>
        {edit.report ? (
          <div className="flex flex-col gap-4">
            <Results entity={entity} report={edit.report} />
            <Button variant="primary" className="self-end" onClick={onClose}>
              {t('action.close')}
            </Button>
          </div>
        ) : (
          <EditForm entity={entity} count={count} edit={edit} onClose={onClose} />
        )}
      </DialogContent>
    </Dialog>
  );
}
