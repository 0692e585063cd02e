/** A clause in words: "Status is New or In progress". */
import type { TFunction } from 'i18next';
import type { EntityMeta, FieldMeta, Labels } from '@/api/types';
import type { Reader } from '@/reader/context';
import { formatDate } from '@/reader/format';
import { dayOf } from '@/reader/zone';
import { formatField, kindOf } from '@/records/fields/lookup';
import type { Clause } from './model';
import { isVariable } from './model';
import { choiceOf, operatorTextKey } from './operators';
import { KNOWN_VARIABLES, variableTextKey } from './variables';

export interface ClauseWords {
  field: string;
  operator: string;
  value: string;
}

interface Wording {
  entity: EntityMeta;
  titles: Labels;
  reader: Reader;
  t: TFunction;
}

/** The value of one entry as the field itself would write it. */
function valueText(
  field: FieldMeta | undefined,
  value: unknown,
  { entity, titles, reader, t }: Wording,
): string {
  if (isVariable(value) && KNOWN_VARIABLES.includes(value)) {
    return t(variableTextKey(value));
  }
  if (field === undefined) {
    return String(value);
  }
  switch (kindOf(field).filter) {
    case 'options': {
      const options = 'options' in field ? field.options : entity.states;
      return options.find((option) => option.value === value)?.label ?? String(value);
    }
    case 'link':
      return titles[String(value)] ?? String(value);
    case 'boolean':
      return value ? t('field.yes') : t('field.no');
    case 'datetime': {
      const day = dayOf(String(value), reader.timeZone);
      return day === '' ? String(value) : formatDate(day, reader.language);
    }
    case 'date':
    case 'duration':
      return formatField(field, value, {
        labels: titles,
        states: entity.states,
        language: reader.language,
        timeZone: reader.timeZone,
        yes: t('field.yes'),
        no: t('field.no'),
      });
    case 'text':
      return `“${String(value)}”`;
    default:
      return String(value);
  }
}

export function clauseWords(clause: Clause, wording: Wording): ClauseWords {
  const { entity, reader, t } = wording;
  const field = entity.fields.find(({ name }) => name === clause.field);
  const choice = choiceOf(clause);
  // "Is empty" carries a value that only says which of the two is meant.
  const given = clause.op === 'is_empty' ? [] : Array.isArray(clause.value) ? clause.value : [clause.value];
  const words = given.filter((entry) => entry !== undefined).map((entry) => valueText(field, entry, wording));
  const joined = new Intl.ListFormat(reader.language, { type: 'disjunction' }).format(words);
  return {
    field: field?.label ?? clause.field,
    operator: t(operatorTextKey(field, choice.key)),
    value: joined,
  };
}

/** Ids in a clause whose titles must be read before it can be worded. */
export function linkedIds(clause: Clause): string[] {
  const list = Array.isArray(clause.value) ? clause.value : [clause.value];
  return list.filter((entry): entry is string => typeof entry === 'string' && !isVariable(entry));
}
