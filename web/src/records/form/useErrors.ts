import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FieldMeta } from '@/api/types';
import { type FormErrors, formErrors, hasErrors, NO_ERRORS, withoutField } from './errors';
import { missingFields } from './layout';

/** What is wrong with a form: what cannot be read of what was typed, and what the server refused. */
export function useErrors(shown: FieldMeta[], known: FieldMeta[]) {
  const { t } = useTranslation();
  const [errors, setErrors] = useState(NO_ERRORS);
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [attempt, setAttempt] = useState(0);
  const report = (next: FormErrors) => {
    setErrors(next);
    setAttempt((count) => count + 1);
  };
  return {
    errors,
    attempt,
    /** What stands at a field: that it cannot be read comes first. */
    errorOf: (name: string): string | undefined => problems[name] ?? errors.fields[name],
    setProblem: (name: string, text: string | null) =>
      setProblems((current) => {
        if ((current[name] ?? null) === text) {
          return current;
        }
        const { [name]: _old, ...rest } = current;
        return text === null ? rest : { ...rest, [name]: text };
      }),
    /** A changed field is judged anew by the next try. */
    forget: (name: string) => setErrors((current) => withoutField(current, name)),
    clear: () => setErrors(NO_ERRORS),
    refuse: (error: unknown) => report(formErrors(error, shown, known, t)),
    report,
    /** Whether the form may be sent; if not, says what is missing or unreadable. */
    check: (fields: FieldMeta[], values: Record<string, unknown>): boolean => {
      const missing = missingFields(fields, values).map(({ name }) => [name, t('form.missing')]);
      const wrong: FormErrors = { ...NO_ERRORS, fields: { ...Object.fromEntries(missing), ...problems } };
      if (hasErrors(wrong)) {
        report(wrong);
        return false;
      }
      setErrors(NO_ERRORS);
      return true;
    },
  };
}

export type Errors = ReturnType<typeof useErrors>;
