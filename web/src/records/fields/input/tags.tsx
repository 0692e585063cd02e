import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { appMetaQuery } from '@/api/meta';
import { useDebounced } from '@/reader/debounce';
import { useLinkOptions } from '@/records/link/search';
import { Combobox } from '@/ui/combobox';
import type { InputProps } from '../contract';
import { parseList } from '../values';
import { controlProps } from './control';
import { Token } from './token';

/** The shared vocabulary of tags is an entity of its own, where a person may read it. */
const VOCABULARY = 'tag';

function sameWord(a: string, b: string): boolean {
  return a.localeCompare(b, undefined, { sensitivity: 'accent' }) === 0;
}

/** Words of the vocabulary are suggested; any other word may be written too. */
export function TagsInput(props: InputProps<'tags'>) {
  const { t } = useTranslation();
  const { field, onChange, onProblem } = props;
  const tags = props.value ?? [];
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(false);
  const { data: app } = useQuery(appMetaQuery);
  const known = app?.entities.some(({ name }) => name === VOCABULARY) ?? false;
  const { data: found = [] } = useLinkOptions(VOCABULARY, null, useDebounced(typed, 150), active && known);
  const set = (next: string[]) => {
    const max = field.max ?? 50;
    onProblem?.(next.length > max ? t('field.too_many_tags', { count: max }) : null);
    onChange(next.length > 0 ? next : null);
  };
  const add = (text: string) => {
    const next = [...tags];
    for (const word of parseList(text)) {
      if (!next.some((tag) => sameWord(tag, word))) {
        next.push(word);
      }
    }
    setTyped('');
    set(next);
  };
  const suggestions = found.filter(({ title }) => !tags.some((tag) => sameWord(tag, title)));
  return (
    <Combobox
      {...controlProps(props)}
      many
      openOnFocus={props.autoFocus}
      listLabel={field.label}
      text={typed}
      onText={setTyped}
      options={suggestions.map(({ title }) => ({ key: title, content: title }))}
      onPick={add}
      onWord={add}
      onBackspace={() => set(tags.slice(0, -1))}
      onFocus={() => setActive(true)}
      // A word that was typed and left is meant: nothing typed gets lost.
      onLeave={() => typed.trim() !== '' && add(typed)}
      placeholder={tags.length === 0 ? t('field.tags_hint') : undefined}
      before={tags.map((tag) => (
        <Token
          key={tag}
          text={tag}
          onRemove={() => set(tags.filter((entry) => entry !== tag))}
          disabled={props.disabled}
        />
      ))}
    />
  );
}
