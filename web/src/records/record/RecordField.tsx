/** One field of the record page: read at first, written in its place when the person wants to. */
import { Lock, Pencil, Undo2 } from 'lucide-react';
import { type KeyboardEvent, type MouseEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FieldMeta, StateMeta } from '@/api/types';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { FormField, fieldId, SIDE_BY_SIDE } from '@/records/form/FormField';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { useEditing, useRecordSession } from './session';

interface RecordFieldProps {
  field: FieldMeta;
  className?: string;
  /** Every field is open for writing. */
  writing: boolean;
  /** Asked for by the state the record is about to move to. */
  required: boolean;
  /** The label stands over the value and not beside it. */
  above?: boolean;
  /** In place of label and value while it is read: the heading of the page. */
  heading?: ReactNode;
}

/** The state the record is in, and those it may move to from there. */
function movesFrom(states: StateMeta[], current: unknown): StateMeta[] {
  const from = states.find(({ value }) => value === current);
  return states.filter((state) => state === from || from?.to.some((move) => move.state === state.value));
}

/** A click on something that does something by itself is not meant for the field around it. */
function isForItself(target: EventTarget): boolean {
  return (target as HTMLElement).closest('a, button, input, summary') !== null;
}

interface ReadingProps {
  field: FieldMeta;
  id: string;
  editable: boolean;
  heading?: ReactNode;
  onWrite: () => void;
}

function Reading({ field, id, editable, heading, onWrite }: ReadingProps) {
  const { t } = useTranslation();
  const { page, entity } = useRecordSession();
  const { edit } = useEditing();
  const open = (event: MouseEvent) => {
    // Selecting text to copy it ends in a click too.
    if (!isForItself(event.target) && window.getSelection()?.isCollapsed !== false) {
      onWrite();
    }
  };
  const lockable =
    !editable && page.can.edit && !field.system && field.type !== 'computed' && field.type !== 'rollup';
  return (
    <>
      {heading === undefined && (
        <span className="flex items-start gap-1 text-muted-foreground @xs/column:pt-1 pointer-coarse:@xs/column:pt-3">
          {field.label}
          {lockable && (
            <>
              <Lock aria-hidden className="mt-1 size-3 shrink-0 print:hidden" />
              <span className="sr-only">{t('record.readonly')}</span>
            </>
          )}
        </span>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button inside does the same by keyboard */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the button inside does the same by keyboard */}
      <div
        className={cn(
          'group/value relative -mx-2 flex min-h-7 items-start gap-1 rounded-md px-2 py-1 pointer-coarse:min-h-11 pointer-coarse:items-center',
          editable && 'cursor-text hover:bg-hover focus-within:bg-hover',
        )}
        onClick={editable ? open : undefined}
      >
        <div className="min-w-0 flex-1">
          {heading ?? (
            <FieldDisplay
              field={field}
              value={edit.values[field.name]}
              variant="block"
              labels={page.labels}
              states={entity.states}
            />
          )}
        </div>
        {editable && (
          <Button
            variant="ghost"
            size="icon"
            id={id}
            aria-label={t('record.edit_field', { label: field.label })}
            onClick={onWrite}
            className="-my-1 -mr-2 shrink-0 text-muted-foreground opacity-0 group-hover/value:opacity-100 focus-visible:opacity-100 print:hidden"
          >
            <Pencil aria-hidden />
          </Button>
        )}
      </div>
    </>
  );
}

export function RecordField({
  field,
  className,
  writing,
  required,
  above = false,
  heading,
}: RecordFieldProps) {
  const { t } = useTranslation();
  const { entity, page, prefix } = useRecordSession();
  const { edit, errors } = useEditing();
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const id = fieldId(prefix, field.name);
  const editable = edit.editable(field);
  const changed = edit.buffer !== null && field.name in edit.buffer.changes;
  const error = errors.errorOf(field.name);
  const wrong = error !== undefined || field.name in errors.errors.inside;
  const shown = editable && (open || writing || changed || wrong || required);
  const wasChanged = useRef(changed);
  const wasShown = useRef(shown);
  useEffect(() => {
    // Saved or taken back: the field is read again.
    if (wasChanged.current && !changed) {
      setOpen(false);
    }
    wasChanged.current = changed;
  }, [changed]);
  useEffect(() => {
    // The control that had the focus is gone: it stays with the field.
    if (wasShown.current && !shown && document.activeElement === document.body) {
      document.getElementById(id)?.focus({ preventScroll: true });
    }
    wasShown.current = shown;
  }, [shown, id]);

  if (!shown) {
    return (
      <div ref={box} className={cn('flex min-w-0 flex-col', !above && SIDE_BY_SIDE, className)}>
        <Reading field={field} id={id} editable={editable} heading={heading} onWrite={() => setOpen(true)} />
      </div>
    );
  }
  const close = () => {
    if (!changed && !wrong) {
      setOpen(false);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && !event.defaultPrevented && open && !changed && !wrong) {
      event.stopPropagation();
      setOpen(false);
    }
  };
  const onBlur = () => {
    // Once the focus has arrived: a list or a dialog that belongs to the control is not elsewhere.
    requestAnimationFrame(() => {
      const now = document.activeElement;
      const inside = box.current?.contains(now) || now?.closest('[role="dialog"], [role="presentation"]');
      if (!inside && document.hasFocus()) {
        close();
      }
    });
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it listens to the control inside
    <div
      ref={box}
      onBlur={onBlur}
      onKeyDown={onKeyDown}
      className={cn(
        'relative min-w-0',
        changed &&
          'before:absolute before:inset-y-0 before:-left-2.5 before:w-0.5 before:rounded-full before:bg-accent',
        className,
      )}
    >
      {heading !== undefined && <div className="sr-only">{heading}</div>}
      <FormField
        id={id}
        field={field}
        required={required || undefined}
        value={edit.values[field.name] ?? null}
        onChange={(value) => {
          errors.forget(field.name);
          edit.edit(field, value);
        }}
        onProblem={(text) => errors.setProblem(field.name, text)}
        error={error}
        errors={errors.errors.inside[field.name]}
        quiet
        side={!above}
        autoFocus={open && !changed}
        labels={page.labels}
        states={
          field.name === entity.state_field
            ? movesFrom(entity.states, page.record[field.name])
            : entity.states
        }
        aside={
          changed && (
            <button
              type="button"
              className="-my-1 grid size-7 shrink-0 place-items-center rounded-sm text-muted-foreground hover:text-foreground pointer-coarse:-my-3 pointer-coarse:size-11"
              aria-label={t('record.revert_field', { label: field.label })}
              title={t('record.revert_field', { label: field.label })}
              onClick={() => {
                errors.forget(field.name);
                edit.revert([field.name]);
              }}
            >
              <Undo2 aria-hidden className="size-3.5" />
            </button>
          )
        }
      />
    </div>
  );
}
