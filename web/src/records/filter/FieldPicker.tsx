/**
 * Where a filter starts: pick a field, or type what you mean. "crit" offers "Priority is Critical" at once,
 * any text offers "Title contains …".
 */
import { Command } from 'cmdk';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fieldNamed } from '@/api/meta';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { kindOf } from '@/records/fields/lookup';
import { type Clause, firstOperator, isFilterable, newClause } from './model';

interface FieldPickerProps {
  entity: EntityMeta;
  onPick: (clause: Clause) => void;
}

interface Suggestion {
  field: FieldMeta;
  value: string;
  label: string;
}

function suggestions(entity: EntityMeta): Suggestion[] {
  return entity.fields.filter(isFilterable).flatMap((field) => {
    if (kindOf(field).filter !== 'options') {
      return [];
    }
    const options = 'options' in field ? field.options : entity.states;
    return options.map(({ value, label }) => ({ field, value, label }));
  });
}

const item =
  'flex min-h-7 cursor-default items-center gap-1 rounded-md px-2 data-[selected=true]:bg-hover pointer-coarse:min-h-11';

export function FieldPicker({ entity, onPick }: FieldPickerProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const fields = entity.fields.filter(isFilterable);
  const title = entity.title_field ? fieldNamed(entity, entity.title_field) : undefined;
  const text = typed.trim();
  return (
    <Command label={t('filter.add')} loop>
      <Command.Input
        autoFocus
        value={typed}
        onValueChange={setTyped}
        placeholder={t('filter.field_or_value')}
        className="control field mb-1 text-sm"
      />
      <Command.List className="max-h-80 overflow-y-auto">
        <Command.Empty className="px-2 py-3 text-muted-foreground">{t('palette.nothing')}</Command.Empty>
        {fields.map((field) => (
          <Command.Item
            key={field.name}
            value={field.name}
            keywords={[field.label]}
            className={item}
            onSelect={() => onPick(newClause(field.name, firstOperator(field), undefined))}
          >
            {field.label}
          </Command.Item>
        ))}
        {text.length > 1 &&
          suggestions(entity).map(({ field, value, label }) => (
            <Command.Item
              key={`${field.name} ${value}`}
              value={`${field.name} ${value}`}
              keywords={[label, `${field.label} ${label}`]}
              className={item}
              onSelect={() => onPick(newClause(field.name, 'in', [value]))}
            >
              <span className="text-muted-foreground">
                {field.label} {t('filter.op.in')}
              </span>
              <span className="font-medium">{label}</span>
            </Command.Item>
          ))}
        {text.length > 1 && title?.operators?.includes('contains') && (
          <Command.Item
            value="contains"
            forceMount
            className={item}
            onSelect={() => onPick(newClause(title.name, 'contains', text))}
          >
            <span className="shrink-0 text-muted-foreground">
              {title.label} {t('filter.op.contains')}
            </span>
            <span className="truncate font-medium">“{text}”</span>
          </Command.Item>
        )}
      </Command.List>
    </Command>
  );
}
