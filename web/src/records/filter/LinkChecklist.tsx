import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useDebounced } from '@/reader/debounce';
import { useLinkOptions, useTitles } from '@/records/link/search';
import { Checklist, type ChecklistEntry } from './Checklist';
import { isVariable, takesMany } from './model';
import { linkedIds } from './sentence';
import type { ValueEditorProps } from './ValueEditor';
import { variableFor, variableTextKey } from './variables';

/** The reader himself, then what is chosen already, then what the search finds. */
export function LinkChecklist({ field, clause, onChange }: ValueEditorProps) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const target = field.type === 'link' || field.type === 'links' ? field : null;
  const q = useDebounced(text, 150);
  const options = useLinkOptions(target?.to ?? '', target?.where, q);
  const chosenIds = linkedIds(clause);
  const titles = useTitles(target?.to ?? '', chosenIds);
  const variable = target ? variableFor(target.to) : undefined;
  const chosen = (Array.isArray(clause.value) ? clause.value : [clause.value]).filter(
    (entry): entry is string => typeof entry === 'string',
  );
  const found = (options.data ?? []).filter(({ id }) => !chosenIds.includes(id));
  const entries: ChecklistEntry[] = [
    ...(variable && q === '' ? [{ value: variable, label: t(variableTextKey(variable)) }] : []),
    ...(q === '' ? chosenIds.map((id) => ({ value: id, label: titles[id] ?? '…' })) : []),
    ...found.map(({ id, title }) => ({ value: id, label: title })),
  ];
  const many = takesMany(clause.op);
  const accept = (next: string[]) => {
    if (!many) {
      onChange(next[0]);
      return;
    }
    // A variable that stands for several records is a list by itself and cannot be an entry of another.
    const added = next.find((entry) => !chosen.includes(entry));
    if (added !== undefined && isVariable(added) && added !== '@me') {
      onChange(added);
    } else {
      onChange(next.filter((entry) => !isVariable(entry) || entry === '@me'));
    }
  };
  return (
    <Checklist
      entries={entries}
      chosen={chosen}
      single={!many}
      onChange={accept}
      search={{ text, onChange: setText, pending: options.isFetching }}
    />
  );
}
