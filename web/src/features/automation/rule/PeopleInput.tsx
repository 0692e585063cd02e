/** Who: people by name, everybody of a role or a group, or whoever a field of the record names. */
import { useQuery } from '@tanstack/react-query';
import { X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { collections } from '@/api/client';
import type { LinkField } from '@/api/types';
import { FieldInput } from '@/records/fields/FieldInput';
import { useTitles } from '@/records/link/search';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Select } from '@/ui/input';
import type { Control } from './Labelled';
import { readPeople, type Who, writePeople } from './model';
import { type Subject, useSubject } from './subject';

interface Role {
  name: string;
  label?: string | null;
}

const rolesQuery = {
  queryKey: ['records', 'role', 'names'],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    collections.get<{ items: Role[] }>('/roles', { signal, query: { limit: 200 } }),
};

const KINDS = ['person', 'role', 'group', 'text'] as const;
type Kind = (typeof KINDS)[number];

/** Fields that lead to a person: links to users, of the record or one link further. */
function leading(subject: Subject) {
  return subject.groups
    .flatMap(({ paths }) => paths)
    .filter(({ field }) => field.type === 'link' && field.to === 'user')
    .map(({ path, label }) => ({ text: `{{ ${path}.id }}`, label }));
}

function useWords() {
  const { t } = useTranslation();
  const subject = useSubject();
  const { data: roles } = useQuery(rolesQuery);
  return (who: Who, titles: Record<string, string>): string => {
    switch (who.kind) {
      case 'person':
        return titles[who.id] ?? '…';
      case 'role':
        return t('automation.who.of_role', {
          name: roles?.items.find(({ name }) => name === who.name)?.label || who.name,
        });
      case 'group':
        return t('automation.who.of_group', { name: titles[who.name] ?? who.name });
      default:
        return leading(subject).find(({ text }) => text === who.text)?.label ?? who.text;
    }
  };
}

function link(to: string, collection: string, label: string): LinkField {
  return { type: 'link', name: to, label, to, to_collection: collection };
}

interface PeopleInputProps extends Control {
  label: string;
  value: unknown;
  onChange: (value: unknown) => void;
  /** One is enough: a second takes the place of the first. */
  one?: boolean;
  disabled?: boolean;
}

export function PeopleInput({ label, value, onChange, one = false, disabled, ...control }: PeopleInputProps) {
  const { t } = useTranslation();
  const subject = useSubject();
  const [kind, setKind] = useState<Kind>('person');
  const [added, setAdded] = useState(0);
  const people = readPeople(value);
  const users = people.flatMap((who) => (who.kind === 'person' ? [who.id] : []));
  const groups = people.flatMap((who) => (who.kind === 'group' ? [who.name] : []));
  const titles = { ...useTitles('user', users), ...useTitles('group', groups) };
  const { data: roles } = useQuery(rolesQuery);
  const wordsOf = useWords();
  const set = (next: Who[]) => {
    const list = writePeople(next);
    onChange(one && Array.isArray(list) ? list[0] : list);
  };
  const add = (who: Who) => {
    setAdded(added + 1);
    const others = people.filter((known) => JSON.stringify(known) !== JSON.stringify(who));
    set(one ? [who] : [...others, who]);
  };
  const search = (field: LinkField, made: (id: string) => Who) => (
    <FieldInput
      key={added}
      id={control.id}
      field={field}
      value={null}
      invalid={control['aria-invalid']}
      describedBy={control['aria-describedby']}
      disabled={disabled}
      onChange={(id) => typeof id === 'string' && add(made(id))}
      labels={{}}
      states={[]}
    />
  );
  const choose = (options: { value: string; label: string }[], made: (value: string) => Who) => (
    <Select
      {...control}
      disabled={disabled}
      value=""
      onChange={({ target }) => target.value !== '' && add(made(target.value))}
    >
      <option value="">{t('field.choose')}</option>
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </Select>
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div role="group" aria-label={label} className="flex flex-col gap-1.5">
      {people.length > 0 && (
        <ul className="flex flex-wrap gap-1">
          {people.map((who, at) => {
            const words = wordsOf(who, titles);
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: who is named twice stands here twice
              <li key={at} className="inline-flex max-w-full items-center">
                <Badge className="h-6 pointer-coarse:h-8">{words}</Badge>
                <Button
                  variant="ghost"
                  size="icon"
                  className="h-6 w-6"
                  disabled={disabled}
                  aria-label={t('field.remove', { name: words })}
                  onClick={() => set(people.filter((_who, other) => other !== at))}
                >
                  <X aria-hidden />
                </Button>
              </li>
            );
          })}
        </ul>
      )}
      <div className="flex flex-wrap gap-1">
        <Select
          aria-label={t('automation.who.kind')}
          className="w-auto"
          disabled={disabled}
          value={kind}
          onChange={({ target }) => setKind(target.value as Kind)}
        >
          {KINDS.map((name) => (
            <option key={name} value={name}>
              {t(`automation.who.${name}`)}
            </option>
          ))}
        </Select>
        <div className="min-w-40 flex-1">
          {kind === 'person' && search(link('user', 'users', label), (id) => ({ kind: 'person', id }))}
          {kind === 'group' && search(link('group', 'groups', label), (id) => ({ kind: 'group', name: id }))}
          {kind === 'role' &&
            choose(
              (roles?.items ?? []).map(({ name, label: words }) => ({ value: name, label: words || name })),
              (name) => ({ kind: 'role', name }),
            )}
          {kind === 'text' &&
            choose(
              leading(subject).map(({ text, label: words }) => ({ value: text, label: words })),
              (text) => ({ kind: 'text', text }),
            )}
        </div>
      </div>
    </div>
  );
}
