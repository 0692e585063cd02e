/** The moves to another state that are allowed now. A move is an act: it saves what was changed along with it. */
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fieldNamed } from '@/api/meta';
import type { FieldMeta, StateMeta } from '@/api/types';
import { kindOf } from '@/records/fields/lookup';
import { ErrorSummary } from '@/records/form/ErrorSummary';
import { FormField, fieldId } from '@/records/form/FormField';
import { isSubmitKey } from '@/records/form/keys';
import { useErrors } from '@/records/form/useErrors';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { useEditing, useRecordSession } from './session';

type Move = StateMeta['to'][number];

interface MoveDialogProps {
  move: Move;
  fields: FieldMeta[];
  onClose: () => void;
}

/** Asks for what the new state cannot do without. */
function MoveDialog({ move, fields, onClose }: MoveDialogProps) {
  const { t } = useTranslation();
  const { entity, page } = useRecordSession();
  const { edit, save } = useEditing();
  const prefix = useId();
  const [values, setValues] = useState<Record<string, unknown>>(() =>
    Object.fromEntries(fields.map(({ name }) => [name, edit.values[name] ?? null])),
  );
  const asked = fields.map((field): FieldMeta => ({ ...field, required: true }));
  const errors = useErrors(asked, entity.fields);
  const from = entity.states.find(({ value }) => value === page.record[entity.state_field ?? ''])?.label;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (errors.check(asked, values)) {
      onClose();
      await save.save({ ...values, [entity.state_field ?? '']: move.state });
    }
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={from ? t('record.move_title', { from, to: move.label }) : move.label}
        description={t('record.move_needs')}
        closeLabel={t('action.close')}
      >
        <form
          noValidate
          className="flex flex-col gap-3"
          onSubmit={(event) => void submit(event)}
          onKeyDown={(event) => {
            if (isSubmitKey(event)) {
              event.preventDefault();
              event.stopPropagation();
              event.currentTarget.requestSubmit();
            }
          }}
        >
          <ErrorSummary errors={errors.errors} attempt={errors.attempt} fields={asked} prefix={prefix} />
          {asked.map((field, at) => (
            <FormField
              key={field.name}
              id={fieldId(prefix, field.name)}
              field={field}
              value={values[field.name]}
              onChange={(value) => {
                errors.forget(field.name);
                setValues((current) => ({ ...current, [field.name]: value }));
              }}
              onProblem={(text) => errors.setProblem(field.name, text)}
              error={errors.errorOf(field.name)}
              autoFocus={at === 0}
              labels={page.labels}
              states={entity.states}
            />
          ))}
          <div className="mt-1 flex justify-end gap-2">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="submit" variant="primary">
              {move.label}
            </Button>
          </div>
        </form>
      </DialogContent>
    </Dialog>
  );
}

export function StateMoves() {
  const { t } = useTranslation();
  const { entity, page } = useRecordSession();
  const { edit, save } = useEditing();
  const [asking, setAsking] = useState<Move | null>(null);
  const field = entity.state_field === null ? undefined : fieldNamed(entity, entity.state_field);
  if (!field || !edit.editable(field)) {
    return null;
  }
  const moves = entity.states.find(({ value }) => value === page.record[field.name])?.to ?? [];
  const needed = (move: Move): FieldMeta[] =>
    move.requires
      .flatMap((name) => fieldNamed(entity, name) ?? [])
      .filter((candidate) => kindOf(candidate).isEmpty(edit.values[candidate.name]));
  const go = (move: Move) => {
    if (needed(move).length > 0) {
      setAsking(move);
    } else {
      void save.save({ [field.name]: move.state });
    }
  };
  const also = edit.changed.length;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div role="group" aria-label={t('record.move_to')} className="flex flex-wrap gap-1.5 print:hidden">
      {moves.map((move) => {
        const target = entity.states.find(({ value }) => value === move.state);
        return (
          <Button
            key={move.state}
            disabled={save.pending}
            title={also > 0 ? t('record.move_saves', { count: also }) : undefined}
            onClick={() => go(move)}
          >
            <span
              aria-hidden
              className="size-2 rounded-full"
              style={{ backgroundColor: `hsl(var(--${target?.color ?? 'gray'}-dot))` }}
            />
            {move.label}
          </Button>
        );
      })}
      {asking && <MoveDialog move={asking} fields={needed(asking)} onClose={() => setAsking(null)} />}
    </div>
  );
}
