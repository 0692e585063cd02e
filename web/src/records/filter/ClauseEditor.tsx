/** A clause being edited: how it compares, and with what. */
import { useTranslation } from 'react-i18next';
import type { EntityMeta } from '@/api/types';
import { Select } from '@/ui/input';
import type { Clause } from './model';
import { choiceOf, operatorChoices, operatorTextKey, withChoice } from './operators';
import { ValueEditor } from './ValueEditor';

interface ClauseEditorProps {
  entity: EntityMeta;
  clause: Clause;
  onChange: (clause: Clause) => void;
  onDone: () => void;
}

export function ClauseEditor({ entity, clause, onChange, onDone }: ClauseEditorProps) {
  const { t } = useTranslation();
  const field = entity.fields.find(({ name }) => name === clause.field);
  if (!field) {
    return <p className="text-muted-foreground">{t('filter.fixed')}</p>;
  }
  const current = choiceOf(clause);
  const offered = operatorChoices(field);
  const choices = offered.some(({ key }) => key === current.key) ? offered : [current, ...offered];
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-center gap-2">
        <span className="shrink-0 font-medium">{field.label}</span>
        <Select
          aria-label={t('filter.operator')}
          value={current.key}
          onChange={({ target }) => {
            const choice = choices.find(({ key }) => key === target.value);
            if (choice) {
              onChange(withChoice(clause, choice));
            }
          }}
        >
          {choices.map(({ key }) => (
            <option key={key} value={key}>
              {t(operatorTextKey(field, key))}
            </option>
          ))}
        </Select>
      </div>
      {clause.op !== 'is_empty' && (
        <ValueEditor
          key={clause.op}
          entity={entity}
          field={field}
          clause={clause}
          onChange={(value) => onChange({ ...clause, value })}
          onDone={onDone}
        />
      )}
    </div>
  );
}
