/** The filter of a list as a sentence of chips. */
import { ListFilter, MoreHorizontal } from 'lucide-react';
import { Fragment, lazy, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Condition, EntityMeta } from '@/api/types';
import { useDebounced } from '@/reader/debounce';
import { Button } from '@/ui/button';
import { Menu, MenuContent, MenuItem, MenuTrigger } from '@/ui/menu';
import { Popover, PopoverContent, PopoverTrigger } from '@/ui/popover';
import { Skeleton } from '@/ui/skeleton';
import { ClauseChip } from './ClauseChip';
import {
  addPart,
  conditionFrom,
  type Group,
  groupFrom,
  isComplete,
  newGroup,
  type Part,
  removePart,
  replacePart,
} from './model';

const FieldPicker = lazy(() => import('./FieldPicker').then(({ FieldPicker }) => ({ default: FieldPicker })));

interface FilterBarProps {
  entity: EntityMeta;
  filter: Condition | null;
  onChange: (filter: Condition | null) => void;
}

/** Without the clauses that do not say anything yet. */
function finished(group: Group): Group {
  const parts = group.parts
    .filter((part) => part.kind === 'group' || isComplete(part))
    .map((part) => (part.kind === 'group' ? finished(part) : part));
  return { ...group, parts };
}

function textOf(filter: Condition | null): string {
  return JSON.stringify(filter);
}

/** The address follows when the hand rests, not at each letter. */
const PAUSE = 120;

/**
 * Holds the filter while it is built: unfinished clauses, and which part is which. What is finished goes
 * to the address; when the address says something else (back, another view), that wins.
 */
function useDraft({ filter, onChange }: Pick<FilterBarProps, 'filter' | 'onChange'>) {
  const given = textOf(conditionFrom(groupFrom(filter)));
  const [group, setGroup] = useState(() => groupFrom(filter));
  const [known, setKnown] = useState(given);
  const [told, setTold] = useState<string | null>(null);
  const built = textOf(conditionFrom(finished(group)));
  if (known !== given) {
    setKnown(given);
    // What we told ourselves comes back late: by then the person may have typed on.
    if (built !== given && told !== given) {
      setGroup(groupFrom(filter));
      setTold(null);
    }
  }
  const settled = useDebounced(built, PAUSE);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a filter that has come to rest is told
  useEffect(() => {
    if (settled === built && settled !== given) {
      setTold(settled);
      onChange(JSON.parse(settled) as Condition | null);
    }
  }, [settled]);
  return [group, setGroup] as const;
}

interface AddFilterProps {
  entity: EntityMeta;
  compact: boolean;
  onAdd: (part: Part) => void;
}

function AddFilter({ entity, compact, onAdd }: AddFilterProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger asChild>
        <Button
          variant="ghost"
          className="text-muted-foreground"
          aria-label={compact ? t('filter.add') : undefined}
        >
          <ListFilter aria-hidden />
          {!compact && t('filter.add')}
        </Button>
      </PopoverTrigger>
      <PopoverContent
        aria-label={t('filter.add')}
        className="p-2"
        // The new chip's own editor takes the focus.
        onCloseAutoFocus={(event) => event.preventDefault()}
      >
        <Suspense fallback={<Skeleton className="h-60" />}>
          <FieldPicker
            entity={entity}
            onPick={(clause) => {
              setOpen(false);
              onAdd(clause);
            }}
          />
        </Suspense>
      </PopoverContent>
    </Popover>
  );
}

interface PartsProps {
  entity: EntityMeta;
  root: Group;
  group: Group;
  editing: string | null;
  onEdit: (key: string | null) => void;
  onChange: (root: Group) => void;
}

function Parts({ group, ...shared }: PartsProps) {
  const { t } = useTranslation();
  const { root, onChange } = shared;
  const other = group.mode === 'all' ? 'any' : 'all';
  const switchMode = () =>
    onChange(
      group.key === root.key
        ? { ...root, mode: other }
        : replacePart(root, group.key, (part) => (part.kind === 'group' ? { ...part, mode: other } : part)),
    );
  return group.parts.map((part, index) => (
    <Fragment key={part.key}>
      {index > 0 && (
        <Button
          variant="ghost"
          className="px-1 text-muted-foreground"
          onClick={switchMode}
          aria-label={t(group.mode === 'all' ? 'filter.switch_to_any' : 'filter.switch_to_all')}
        >
          {t(group.mode === 'all' ? 'filter.and' : 'filter.or')}
        </Button>
      )}
      <OnePart part={part} {...shared} />
    </Fragment>
  ));
}

function OnePart({ part, ...shared }: Omit<PartsProps, 'group'> & { part: Part }) {
  const { t } = useTranslation();
  const { entity, root, editing, onEdit, onChange } = shared;
  if (part.kind === 'clause') {
    return (
      <ClauseChip
        entity={entity}
        clause={part}
        open={editing === part.key}
        onOpenChange={(open) => {
          onEdit(open ? part.key : null);
          if (!open && !isComplete(part)) {
            onChange(removePart(root, part.key));
          }
        }}
        onChange={(clause) => onChange(replacePart(root, part.key, () => clause))}
        onRemove={() => onChange(removePart(root, part.key))}
      />
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot stand within a line of chips
    <span role="group" aria-label={t('filter.group')} className="inline-flex flex-wrap items-center gap-1">
      {part.not && <span className="text-muted-foreground">{t('filter.not')}</span>}
      <span aria-hidden className="text-muted-foreground">
        (
      </span>
      <Parts group={part} {...shared} />
      <AddFilter
        entity={entity}
        compact
        onAdd={(clause) => {
          onChange(addPart(root, part.key, clause));
          onEdit(clause.key);
        }}
      />
      <span aria-hidden className="text-muted-foreground">
        )
      </span>
    </span>
  );
}

export function FilterBar({ entity, filter, onChange }: FilterBarProps) {
  const { t } = useTranslation();
  const [root, change] = useDraft({ filter, onChange });
  const [editing, setEditing] = useState<string | null>(null);
  const add = (part: Part) => {
    change(addPart(root, root.key, part));
    setEditing(part.kind === 'clause' && !isComplete(part) ? part.key : null);
  };
  return (
    <div className="flex min-w-0 items-center gap-1 max-sm:overflow-x-auto sm:flex-wrap">
      <Parts
        entity={entity}
        root={root}
        group={root}
        editing={editing}
        onEdit={setEditing}
        onChange={change}
      />
      <AddFilter entity={entity} compact={root.parts.length > 0} onAdd={add} />
      {root.parts.length > 0 && (
        <Menu>
          <MenuTrigger asChild>
            <Button variant="ghost" size="icon" aria-label={t('filter.more')}>
              <MoreHorizontal aria-hidden />
            </Button>
          </MenuTrigger>
          <MenuContent>
            <MenuItem
              onSelect={() => change(addPart(root, root.key, newGroup(root.mode === 'all' ? 'any' : 'all')))}
            >
              {t('filter.add_group')}
            </MenuItem>
            <MenuItem onSelect={() => change(newGroup('all'))}>{t('filter.clear')}</MenuItem>
          </MenuContent>
        </Menu>
      )}
    </div>
  );
}
