/** Corrects one value; of a ratio its parts, from which it follows. */
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { recordKeys, updateRecord } from '@/api/records';
import type { EntityMeta, RecordData } from '@/api/types';
import { told } from '@/feedback/toasts';
import { useReader } from '@/reader/context';
import { decimalForTyping } from '@/records/fields/decimals';
import { type FormErrors, formErrors, NO_ERRORS } from '@/records/form/errors';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { Input } from '@/ui/input';
import { readCell } from '../entry/sheet';
import { type Chart, readFiguresAgain } from '../figures';
import { periodName } from '../periods';

interface CorrectDialogProps {
  entity: EntityMeta;
  record: RecordData;
  chart: Chart;
  onClose: () => void;
}

export function CorrectDialog({ entity, record, chart, onClose }: CorrectDialogProps) {
  const { t } = useTranslation('kpi');
  const { t: house } = useTranslation();
  const { language } = useReader();
  const client = useQueryClient();
  const numbers = typeof record.numerator === 'string' ? ['numerator', 'denominator'] : ['value'];
  const written = (name: string) => {
    const value = record[name];
    return typeof value === 'string' ? decimalForTyping(value, language) : '';
  };
  const [texts, setTexts] = useState<Record<string, string>>(() =>
    Object.fromEntries(numbers.map((name) => [name, written(name)])),
  );
  const [comment, setComment] = useState(String(record.comment ?? ''));
  const [errors, setErrors] = useState<FormErrors>(NO_ERRORS);
  const [saving, setSaving] = useState(false);
  const period = periodName(chart.frequency, String(record.period_start), language, t);
  const shown = entity.fields.filter(({ name }) => numbers.includes(name) || name === 'comment');

  const save = async (event: FormEvent) => {
    event.preventDefault();
    const data: Record<string, unknown> = { comment: comment.trim() === '' ? null : comment.trim() };
    const wrong: Record<string, string> = {};
    for (const name of numbers) {
      const read = readCell(texts[name] ?? '', language, name === 'value' ? chart.unit : null);
      if ('fault' in read) {
        const { fault } = read;
        wrong[name] = t(`entry.fault.${fault.code}`, { count: 'count' in fault ? fault.count : 0 });
      } else if (read.value === null) {
        wrong[name] = t('entry.fault.not_a_number');
      } else {
        data[name] = read.value;
      }
    }
    setErrors({ ...NO_ERRORS, fields: wrong });
    if (Object.keys(wrong).length > 0) {
      return;
    }
    setSaving(true);
    try {
      await updateRecord(entity, record.id, record.version, data);
      told(t('values.corrected', { period }));
      onClose();
      await client.invalidateQueries({ queryKey: [...recordKeys.all, entity.name] });
      await readFiguresAgain(client);
    } catch (error) {
      setErrors(formErrors(error, shown, entity.fields, house));
    } finally {
      setSaving(false);
    }
  };

  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={t('values.correct', { period })} closeLabel={house('action.close')}>
        <form className="flex flex-col gap-3" onSubmit={(event) => void save(event)}>
          {errors.other.map((message) => (
            <p key={message} role="alert" className="text-danger">
              {message}
            </p>
          ))}
          {shown.map(({ name, label }) => (
            <div key={name} className="flex flex-col gap-1">
              <label htmlFor={`correct-${name}`} className="font-medium">
                {label}
              </label>
              <Input
                id={`correct-${name}`}
                inputMode={name === 'comment' ? undefined : 'decimal'}
                autoComplete="off"
                aria-invalid={errors.fields[name] !== undefined}
                aria-describedby={errors.fields[name] ? `correct-${name}-error` : undefined}
                value={name === 'comment' ? comment : (texts[name] ?? '')}
                onChange={({ target }) =>
                  name === 'comment' ? setComment(target.value) : setTexts({ ...texts, [name]: target.value })
                }
              />
              {errors.fields[name] && (
                <p id={`correct-${name}-error`} role="alert" className="text-danger">
                  {errors.fields[name]}
                </p>
              )}
            </div>
          ))}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>{house('action.cancel')}</Button>
            <Button type="submit" variant="primary" disabled={saving}>
              {house('action.save')}
            </Button>
          </div>
        </form>
      </DialogContent>
    </Dialog>
  );
}
