/** Links to other records: found by typing a few letters of their title or number. */
import { useQuery } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { appMetaQuery, entityQuery } from '@/api/meta';
import type { Condition, EntitySummary, Labels } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { useDebounced } from '@/reader/debounce';
import { type LinkOption, useLinkOptions, useTitles } from '@/records/link/search';
import { Button } from '@/ui/button';
import { Combobox, type ComboOption } from '@/ui/combobox';
import { Select } from '@/ui/input';
import type { InputProps } from '../contract';
import { type ControlProps, controlProps } from './control';
import { Token } from './token';

const CreateDialog = lazy(() =>
  import('@/records/form/CreateDialog').then(({ CreateDialog }) => ({ default: CreateDialog })),
);

const CREATE = '#create';
/** Letters settle before the server is asked. */
const PAUSE = 150;

interface Target {
  /** Name of the entity; absent while it is not chosen. */
  to: string | undefined;
  where?: Condition | null;
}

/** The titles of what is chosen: those that came with the record, those just picked, and the rest asked for. */
function useTitlesOf(to: string | undefined, ids: string[], labels: Labels) {
  const [picked, setPicked] = useState<Labels>({});
  const unknown = ids.filter((id) => labels[id] === undefined && picked[id] === undefined);
  const read = useTitles(to ?? '', unknown);
  const titleOf = (id: string) => picked[id] ?? labels[id] ?? read[id];
  return { titleOf, remember: (id: string, title: string) => setPicked((all) => ({ ...all, [id]: title })) };
}

function OptionLine({ title, detail }: LinkOption) {
  return (
    <>
      <span className="min-w-0 flex-1 truncate">{title}</span>
      {detail && (
        <span className="max-w-[55%] shrink-0 truncate text-xs text-muted-foreground">{detail}</span>
      )}
    </>
  );
}

/** What the letters find, with the shortcut that creates what is not there. */
function useCandidates({ to, where }: Target, text: string, active: boolean, chosen: string[]) {
  const { t } = useTranslation();
  const { data: app } = useQuery(appMetaQuery);
  const target: EntitySummary | undefined = app?.entities.find(({ name }) => name === to);
  const found = useLinkOptions(to ?? '', where, useDebounced(text, PAUSE), active && to !== undefined);
  const options: ComboOption[] = (found.data ?? []).map((option) => ({
    key: option.id,
    chosen: chosen.includes(option.id),
    content: <OptionLine {...option} />,
  }));
  if (target?.can.create && active) {
    const name = text.trim();
    options.push({
      key: CREATE,
      content: (
        <span className="flex min-w-0 items-center gap-2 text-accent [&_svg]:size-4 [&_svg]:shrink-0">
          <Plus aria-hidden />
          <span className="truncate">
            {name
              ? t('field.create_named', { label: target.label, name })
              : t('grid.create', { label: target.label })}
          </span>
        </span>
      ),
    });
  }
  const status = found.isError
    ? problemText(found.error, t)
    : found.isFetching
      ? t('palette.searching')
      : t('palette.nothing');
  const titleOf = (id: string) => found.data?.find((option) => option.id === id)?.title;
  return { options, status, target, titleOf };
}

interface CreateTargetProps {
  entity: string;
  title: string;
  onClose: () => void;
  onCreated: (id: string) => void;
}

function CreateTarget({ entity: name, title, onClose, onCreated }: CreateTargetProps) {
  const { data: entity } = useQuery(entityQuery(name));
  if (!entity) {
    return null;
  }
  const initial = entity.title_field && title ? { [entity.title_field]: title } : undefined;
  return (
    <Suspense fallback={null}>
      <CreateDialog entity={entity} initial={initial} onClose={onClose} onCreated={onCreated} />
    </Suspense>
  );
}

interface OneLinkProps extends Target {
  control: ControlProps;
  label: string;
  value: string | null;
  labels: Labels;
  onChange: (id: string | null) => void;
}

function OneLink({ control, label, to, where, value, labels, onChange }: OneLinkProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<string | null>(null);
  const [active, setActive] = useState(false);
  const [creating, setCreating] = useState<string | null>(null);
  const { titleOf, remember } = useTitlesOf(to, value === null ? [] : [value], labels);
  const title = value === null ? '' : (titleOf(value) ?? '…');
  const candidates = useCandidates({ to, where }, typed ?? '', active, value === null ? [] : [value]);
  const pick = (id: string) => {
    if (id === CREATE) {
      setCreating(typed ?? '');
      return;
    }
    remember(id, candidates.titleOf(id) ?? '…');
    setTyped(null);
    onChange(id);
  };
  return (
    <>
      <Combobox
        {...control}
        openOnFocus={control.autoFocus}
        listLabel={label}
        text={typed ?? title}
        onText={setTyped}
        options={candidates.options}
        status={candidates.status}
        onPick={pick}
        placeholder={t('field.find')}
        disabled={control.disabled || to === undefined}
        onFocus={(event) => {
          setActive(true);
          event.target.select();
        }}
        onLeave={() => {
          if (typed?.trim() === '' && value !== null) {
            onChange(null);
          }
          setTyped(null);
        }}
        after={
          value !== null &&
          !control.disabled && (
            <Button
              variant="ghost"
              size="icon"
              className="h-6 w-6"
              // Emptying the text does the same by keyboard.
              tabIndex={-1}
              aria-label={t('field.clear', { label })}
              onClick={() => {
                setTyped(null);
                onChange(null);
              }}
            >
              <X aria-hidden />
            </Button>
          )
        }
      />
      {creating !== null && to !== undefined && (
        <CreateTarget
          entity={to}
          title={creating}
          onClose={() => setCreating(null)}
          onCreated={(id) => {
            setCreating(null);
            setTyped(null);
            onChange(id);
          }}
        />
      )}
    </>
  );
}

export function LinkInput(props: InputProps<'link'>) {
  const { field, value, labels, onChange } = props;
  return (
    <OneLink
      control={controlProps(props)}
      label={field.label}
      to={field.to}
      where={field.where}
      value={value}
      labels={labels}
      onChange={onChange}
    />
  );
}

export function LinksInput(props: InputProps<'links'>) {
  const { t } = useTranslation();
  const { field, labels, onChange } = props;
  const chosen = props.value ?? [];
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(false);
  const [creating, setCreating] = useState<string | null>(null);
  const { titleOf, remember } = useTitlesOf(field.to, chosen, labels);
  const candidates = useCandidates(field, typed, active, chosen);
  const set = (ids: string[]) => onChange(ids.length > 0 ? ids : null);
  const pick = (id: string) => {
    if (id === CREATE) {
      setCreating(typed);
      return;
    }
    remember(id, candidates.titleOf(id) ?? '…');
    setTyped('');
    set(chosen.includes(id) ? chosen.filter((entry) => entry !== id) : [...chosen, id]);
  };
  return (
    <>
      <Combobox
        {...controlProps(props)}
        many
        openOnFocus={props.autoFocus}
        listLabel={field.label}
        text={typed}
        onText={setTyped}
        options={candidates.options}
        status={candidates.status}
        onPick={pick}
        placeholder={chosen.length === 0 ? t('field.find') : undefined}
        onFocus={() => setActive(true)}
        onLeave={() => setTyped('')}
        onBackspace={() => set(chosen.slice(0, -1))}
        before={chosen.map((id) => (
          <Token
            key={id}
            text={titleOf(id) ?? '…'}
            onRemove={() => set(chosen.filter((entry) => entry !== id))}
            disabled={props.disabled}
          />
        ))}
      />
      {creating !== null && (
        <CreateTarget
          entity={field.to}
          title={creating}
          onClose={() => setCreating(null)}
          onCreated={(id) => {
            setCreating(null);
            setTyped('');
            set([...chosen, id]);
          }}
        />
      )}
    </>
  );
}

/** First what kind of record, then which one. */
export function AnyLinkInput(props: InputProps<'any_link'>) {
  const { t } = useTranslation();
  const { field, value, labels, onChange, disabled } = props;
  const { data: app } = useQuery(appMetaQuery);
  const kinds = (app?.entities ?? []).filter(
    ({ name, can }) => can.view && (field.to === '*' || field.to.includes(name)),
  );
  const [kind, setKind] = useState<string | undefined>(undefined);
  const to = value?.entity ?? kind ?? (kinds.length === 1 ? kinds[0]?.name : undefined);
  return (
    <span className="flex flex-wrap gap-1.5">
      {kinds.length !== 1 && (
        <Select
          aria-label={t('field.kind_of_record')}
          className="w-40 max-w-full"
          disabled={disabled}
          value={to ?? ''}
          onChange={(event) => {
            setKind(event.target.value || undefined);
            onChange(null);
          }}
        >
          <option value="">{t('field.choose')}</option>
          {kinds.map(({ name, label }) => (
            <option key={name} value={name}>
              {label}
            </option>
          ))}
        </Select>
      )}
      <span className="min-w-40 flex-1">
        <OneLink
          key={to}
          control={controlProps(props)}
          label={field.label}
          to={to}
          value={value?.id ?? null}
          labels={labels}
          onChange={(id) => {
            if (value !== null) {
              setKind(value.entity);
            }
            onChange(id === null || to === undefined ? null : { entity: to, id });
          }}
        />
      </span>
    </span>
  );
}
