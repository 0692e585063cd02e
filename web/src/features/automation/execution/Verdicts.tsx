import { Check, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { FieldMeta, Operator } from '@/api/types';
import { useReader } from '@/reader/context';
import { formatField } from '@/records/fields/lookup';
import { useTitles } from '@/records/link/search';
import { comparisonOf, comparisonTextKey, hasValue } from '../rule/operators';
import { findPath, type Path, useSubjectOf } from '../rule/subject';
import type { Told, Verdict } from './verdict';

function Mark({ holds }: { holds: boolean }) {
  const { t } = useTranslation();
  return (
    <span
      className={
        holds
          ? 'mt-0.5 grid size-4 shrink-0 place-items-center rounded-full bg-[hsl(var(--green-surface))] text-[hsl(var(--green-text))]'
          : 'mt-0.5 grid size-4 shrink-0 place-items-center rounded-full bg-[hsl(var(--red-surface))] text-[hsl(var(--red-text))]'
      }
    >
      {holds ? <Check aria-hidden className="size-3" /> : <X aria-hidden className="size-3" />}
      <span className="sr-only">{t(holds ? 'automation.verdict.holds' : 'automation.verdict.fails')}</span>
    </span>
  );
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === '';
}

/** A link's title has to be asked for: the log knows its id. */
function useValueWords(path: Path | undefined, values: unknown[]) {
  const { t } = useTranslation();
  const { language, timeZone } = useReader();
  const field = path?.field;
  const to = field && (field.type === 'link' || field.type === 'links') ? field.to : '';
  const ids = values.flat().filter((value): value is string => to !== '' && typeof value === 'string');
  const labels = useTitles(to, [...new Set(ids)]);
  const one = (value: unknown): string => {
    if (!field) {
      return typeof value === 'string' ? value : JSON.stringify(value);
    }
    if (to !== '') {
      return labels[String(value)] ?? String(value);
    }
    const asOne = (field.type === 'choices' ? { ...field, type: 'choice' } : field) as FieldMeta;
    const fits = typeof value !== 'object' || field.type === 'money' || field.type === 'geo';
    return fits && field.type !== 'tags'
      ? formatField(asOne, value, {
          labels,
          states: path.owner.states,
          language,
          timeZone,
          yes: t('field.yes'),
          no: t('field.no'),
        })
      : String(value);
  };
  return (value: unknown): string => {
    const words = (Array.isArray(value) ? value : [value]).map((entry) =>
      isNothing(entry)
        ? t('automation.verdict.nothing')
        : t('automation.verdict.quoted', { value: one(entry) }),
    );
    return new Intl.ListFormat(language, { type: 'disjunction' }).format(words);
  };
}

/** As a choice it begins with a capital, within a sentence it does not. */
function inSentence(words: string, language: string): string {
  return words.charAt(0).toLocaleLowerCase(language) + words.slice(1);
}

function Line({ told, entity }: { told: Told; entity: string | undefined }) {
  const { t } = useTranslation();
  const { language } = useReader();
  const subject = useSubjectOf(entity);
  const path = findPath(subject, told.field);
  const wordsOf = useValueWords(path, [told.value, told.found]);
  const op = told.op as Operator;
  const comparison = comparisonOf({ field: told.field, op, value: told.value }, false);
  const wanted = [
    inSentence(t(comparisonTextKey(path?.field, comparison.key), { defaultValue: told.op }), language),
    ...(hasValue(op) ? [wordsOf(told.value)] : []),
  ].join(' ');
  return (
    <>
      <Mark holds={told.holds} />
      <span className="min-w-0 break-words">
        {t('automation.verdict.sentence', {
          field: path?.label ?? told.field,
          found: wordsOf(told.found),
          wanted,
        })}
      </span>
    </>
  );
}

export function Verdicts({ verdict, entity }: { verdict: Verdict; entity: string | undefined }) {
  const { t } = useTranslation();
  if (verdict.kind === 'test') {
    return (
      <div className="flex items-start gap-2">
        <Line told={verdict.told} entity={entity} />
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-1">
      <div className="flex items-start gap-2 text-muted-foreground">
        <Mark holds={verdict.holds} />
        {t(`automation.verdict.${verdict.kind}`)}
      </div>
      <ul className="ml-2 flex flex-col gap-1 border-l pl-4">
        {verdict.parts.map((part, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a verdict never changes
          <li key={at}>
            <Verdicts verdict={part} entity={entity} />
          </li>
        ))}
      </ul>
    </div>
  );
}
