import { X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta } from '@/api/types';
import { useReader } from '@/reader/context';
import { useTitles } from '@/records/link/search';
import { Button } from '@/ui/button';
import { Select } from '@/ui/input';
import { Popover, PopoverContent, PopoverTrigger } from '@/ui/popover';
import { type Clause, isComplete } from './model';
import { choiceOf, operatorChoices, operatorTextKey, withChoice } from './operators';
import { clauseWords, linkedIds } from './sentence';
import { ValueEditor } from './ValueEditor';

interface ClauseChipProps {
  entity: EntityMeta;
  clause: Clause;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onChange: (clause: Clause) => void;
  onRemove: () => void;
}

type EditorProps = Pick<ClauseChipProps, 'entity' | 'clause' | 'onChange'> & { onDone: () => void };

function Editor({ entity, clause, onChange, onDone }: EditorProps) {
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

export function ClauseChip({ entity, clause, open, onOpenChange, onChange, onRemove }: ClauseChipProps) {
  const { t } = useTranslation();
  const reader = useReader();
  const field = entity.fields.find(({ name }) => name === clause.field);
  const target = field?.type === 'link' || field?.type === 'links' ? field.to : '';
  const titles = useTitles(target, target === '' ? [] : linkedIds(clause));
  const words = clauseWords(clause, { entity, titles, reader, t });
  return (
    <span className="inline-flex max-w-full shrink-0 items-center rounded-md border bg-background">
      <Popover open={open} onOpenChange={onOpenChange}>
        <PopoverTrigger className="control flex max-w-96 items-center gap-1 rounded-r-none pl-2 hover:bg-hover">
          <span className="shrink-0 text-muted-foreground">{words.field}</span>{' '}
          <span className="shrink-0 text-muted-foreground">{words.operator}</span>{' '}
          {isComplete(clause) ? (
            <span className="truncate font-medium">{words.value}</span>
          ) : (
            <span className="text-muted-foreground">…</span>
          )}
        </PopoverTrigger>
        <PopoverContent>
          <Editor entity={entity} clause={clause} onChange={onChange} onDone={() => onOpenChange(false)} />
        </PopoverContent>
      </Popover>
      <Button
        variant="ghost"
        className="w-6 rounded-l-none px-0 text-muted-foreground"
        aria-label={t('filter.remove', { text: `${words.field} ${words.operator} ${words.value}` })}
        onClick={onRemove}
      >
        <X aria-hidden className="size-3.5" />
      </Button>
    </span>
  );
}
