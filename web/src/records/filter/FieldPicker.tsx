/**
 * Where a filter starts: pick a field, or type what you mean. "crit" offers "Priority is Critical" at once,
 * any text offers "Title contains …".
 */
import { Command } from 'cmdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fieldNamed } from '@/api/meta';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { folded } from '@/reader/fold';
import { kindOf } from '@/records/fields/lookup';
import { type Clause, firstOperator, isFilterable, newClause } from './model';

interface FieldPickerProps {
  entity: EntityMeta;
  onPick: (clause: Clause) => void;
}

interface Suggestion {
  key: string;
  clause: () => Clause;
  field: string;
  /** What follows the field's name; absent where only the field is picked. */
  operator?: string;
  value?: string;
}

function options(field: FieldMeta, entity: EntityMeta): { value: string; label: string }[] {
  if (kindOf(field).filter !== 'options') {
    return [];
  }
  return 'options' in field ? field.options : entity.states;
}

/** Fields first, then values that begin with what was typed, then those that have it anywhere. */
function suggestionsFor(
  entity: EntityMeta,
  typed: string,
  words: { is: string; contains: string },
): Suggestion[] {
  const wanted = folded(typed);
  const fields = entity.fields.filter(isFilterable);
  const named = fields
    .filter((field) => folded(field.label).includes(wanted))
    .map(
      (field): Suggestion => ({
        key: field.name,
        field: field.label,
        clause: () => newClause(field.name, firstOperator(field), undefined),
      }),
    );
  if (wanted.length < 2) {
    return named;
  }
  const values = fields
    .flatMap((field) =>
      options(field, entity).map((option) => ({
        field,
        ...option,
        place: folded(option.label).indexOf(wanted),
      })),
    )
    .filter(({ place }) => place >= 0)
    .sort((a, b) => Math.sign(a.place) - Math.sign(b.place))
    .map(
      ({ field, value, label }): Suggestion => ({
        key: `${field.name} ${value}`,
        field: field.label,
        operator: words.is,
        value: label,
        clause: () => newClause(field.name, 'in', [value]),
      }),
    );
  const title = entity.title_field ? fieldNamed(entity, entity.title_field) : undefined;
  const text = title?.operators?.includes('contains')
    ? [
        {
          key: 'contains',
          field: title.label,
          operator: words.contains,
          value: `“${typed}”`,
          clause: () => newClause(title.name, 'contains', typed),
        },
      ]
    : [];
  return [...named, ...values, ...text];
}

export function FieldPicker({ entity, onPick }: FieldPickerProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const suggestions = suggestionsFor(entity, typed.trim(), {
    is: t('filter.op.in'),
    contains: t('filter.op.contains'),
  });
  return (
    <Command label={t('filter.add')} shouldFilter={false} loop>
      <Command.Input
        autoFocus
        value={typed}
        onValueChange={setTyped}
        placeholder={t('filter.field_or_value')}
        className="control field mb-1"
      />
      <Command.List label={t('filter.add')} className="max-h-80 overflow-y-auto">
        {suggestions.map(({ key, field, operator, value, clause }) => (
          <Command.Item
            key={key}
            value={key}
            className="flex min-h-7 cursor-default items-center gap-1 rounded-md px-2 data-[selected=true]:bg-hover pointer-coarse:min-h-11"
            onSelect={() => onPick(clause())}
          >
            <span className={operator ? 'shrink-0 text-muted-foreground' : 'truncate'}>
              {field} {operator}
            </span>
            {value && <span className="truncate font-medium">{value}</span>}
          </Command.Item>
        ))}
      </Command.List>
      <Command.Empty className="px-2 py-3 text-muted-foreground">{t('palette.nothing')}</Command.Empty>
    </Command>
  );
}
