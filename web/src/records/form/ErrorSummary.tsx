import { CircleAlert } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { FieldMeta } from '@/api/types';
import { type FormErrors, hasErrors } from './errors';
import { fieldId, focusField } from './FormField';

interface ErrorSummaryProps {
  errors: FormErrors;
  /** How often sending was refused: each time the focus comes here. */
  attempt: number;
  fields: FieldMeta[];
  /** Of the ids of the form's fields. */
  prefix: string;
}

/** Everything that is wrong, in one place that takes the focus; each line leads to its field. */
export function ErrorSummary({ errors, attempt, fields, prefix }: ErrorSummaryProps) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (attempt > 0) {
      box.current?.scrollIntoView?.({ block: 'nearest' });
      box.current?.focus();
    }
  }, [attempt]);
  if (!hasErrors(errors)) {
    return null;
  }
  const wrong = fields.filter(({ name }) => name in errors.fields || name in errors.inside);
  const messageOf = ({ name }: FieldMeta) =>
    errors.fields[name] ?? Object.values(errors.inside[name] ?? {}).join(' ');
  return (
    <div
      ref={box}
      role="alert"
      tabIndex={-1}
      className="rounded-md border border-danger bg-danger-surface px-3 py-2 text-danger outline-none"
    >
      <p className="flex items-center gap-1.5 font-medium">
        <CircleAlert aria-hidden className="size-4 shrink-0" />
        {wrong.length > 0 ? t('form.correct', { count: wrong.length }) : t('form.refused')}
      </p>
      <ul className="mt-1 ml-5.5 list-disc">
        {wrong.map((field) => (
          <li key={field.name}>
            <button
              type="button"
              className="text-left underline underline-offset-2 pointer-coarse:min-h-11"
              onClick={() => focusField(fieldId(prefix, field.name))}
            >
              {t('form.named_error', { label: field.label, message: messageOf(field) })}
            </button>
          </li>
        ))}
        {errors.other.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );
}
