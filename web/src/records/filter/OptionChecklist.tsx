import type { ChoiceOption, StateMeta } from '@/api/types';
import { Badge } from '@/ui/badge';
import { Checklist } from './Checklist';
import { takesMany } from './model';
import type { ValueEditorProps } from './ValueEditor';

export function OptionChecklist({ entity, field, clause, onChange }: ValueEditorProps) {
  const options: (ChoiceOption | StateMeta)[] = 'options' in field ? field.options : entity.states;
  const chosen = (Array.isArray(clause.value) ? clause.value : [clause.value]).filter(
    (entry): entry is string => typeof entry === 'string',
  );
  const many = takesMany(clause.op);
  return (
    <Checklist
      entries={options.map(({ value, label, color }) => ({
        value,
        label,
        content: (
          <Badge color={color} dot={field.type === 'state'}>
            {label}
          </Badge>
        ),
      }))}
      chosen={chosen}
      single={!many}
      // In declared order, whatever the order of the clicks: the sentence then always reads the same.
      onChange={(next) =>
        onChange(many ? options.map(({ value }) => value).filter((value) => next.includes(value)) : next[0])
      }
    />
  );
}
