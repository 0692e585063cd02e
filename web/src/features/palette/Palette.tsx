/** Ctrl/Cmd+K: records, pages and acts by typing a few letters. */
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { LogOut, Moon, Plus, Sun, UserRound } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import type { AppMeta, SearchHit } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { useDebounced } from '@/reader/debounce';
import { folded } from '@/reader/fold';
import { menuItems, menuKey, menuTarget } from '@/shell/navigation';
import { usePreferences } from '@/shell/profile';
import { useSignOut } from '@/shell/UserMenu';
import { Highlight } from '@/ui/highlight';
import { Icon } from '@/ui/icon';

function searchQuery(q: string) {
  return queryOptions({
    queryKey: ['search', q],
    queryFn: ({ signal }) => api.get('/search', { query: { q, limit: 20 }, signal }),
    enabled: q.length > 1,
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });
}

interface PaletteProps {
  app: AppMeta;
  onClose: () => void;
}

const item =
  'flex min-h-8 cursor-default items-center gap-2 rounded-md px-2 py-1 data-[selected=true]:bg-hover pointer-coarse:min-h-11 [&_svg]:size-4 [&_svg]:shrink-0 [&_svg]:text-muted-foreground';

interface Entry {
  key: string;
  label: string;
  icon: ReactNode;
  run: () => unknown;
}

/** Every word that was typed stands somewhere in the label. */
function fits(label: string, typed: string): boolean {
  const text = folded(label);
  return folded(typed)
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function usePages(app: AppMeta): Entry[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const pages = menuItems(app).map((entry) => ({
    key: menuKey(entry),
    label: entry.label,
    icon: <Icon name={entry.icon} />,
    run: () => navigate(menuTarget(entry)),
  }));
  const account = {
    key: 'account',
    label: t('user.account'),
    icon: <UserRound aria-hidden />,
    run: () => navigate({ to: '/account' }),
  };
  return [...pages, account];
}

function useActs(app: AppMeta): Entry[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const preferences = usePreferences();
  const signOut = useSignOut();
  const creations = app.entities
    .filter(({ can }) => can.create)
    .map(({ name, label, collection }) => ({
      key: `create-${name}`,
      label: t('palette.create', { label }),
      icon: <Plus aria-hidden />,
      run: () => navigate({ to: '/r/$collection', params: { collection }, search: { create: true } }),
    }));
  return [
    ...creations,
    {
      key: 'light',
      label: t('palette.light'),
      icon: <Sun aria-hidden />,
      run: () => preferences.setTheme('light'),
    },
    {
      key: 'dark',
      label: t('palette.dark'),
      icon: <Moon aria-hidden />,
      run: () => preferences.setTheme('dark'),
    },
    { key: 'sign-out', label: t('user.sign_out'), icon: <LogOut aria-hidden />, run: signOut },
  ];
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted-foreground"
    >
      {children}
    </Command.Group>
  );
}

function Entries({
  heading,
  entries,
  onRun,
}: {
  heading: string;
  entries: Entry[];
  onRun: (entry: Entry) => void;
}) {
  if (entries.length === 0) {
    return null;
  }
  return (
    <Group heading={heading}>
      {entries.map((entry) => (
        <Command.Item key={entry.key} value={entry.key} className={item} onSelect={() => onRun(entry)}>
          {entry.icon} <span className="truncate">{entry.label}</span>
        </Command.Item>
      ))}
    </Group>
  );
}

/** What the server found, in its order. */
function Hits({ app, hits, onOpen }: { app: AppMeta; hits: SearchHit[]; onOpen: (hit: SearchHit) => void }) {
  const { t } = useTranslation();
  if (hits.length === 0) {
    return null;
  }
  return (
    <Group heading={t('palette.records')}>
      {hits.map((hit) => (
        <Command.Item key={hit.id} value={hit.id} className={item} onSelect={() => onOpen(hit)}>
          {hit.number && <span className="shrink-0 text-muted-foreground tabular-nums">{hit.number}</span>}
          <span className="min-w-0 flex-1 truncate">
            <Highlight text={hit.highlight ?? hit.title} />
          </span>
          <span className="shrink-0 text-xs text-muted-foreground">
            {hit.label ?? app.entities.find(({ name }) => name === hit.entity)?.label}
          </span>
        </Command.Item>
      ))}
    </Group>
  );
}

export function Palette({ app, onClose }: PaletteProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const typed = text.trim();
  const q = useDebounced(typed, 120);
  const search = useQuery(searchQuery(q));
  const pages = usePages(app);
  const acts = useActs(app);
  const run = (act: () => unknown) => {
    onClose();
    void act();
  };
  return (
    <Primitive.Root open onOpenChange={(open) => !open && onClose()}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Primitive.Content
          aria-describedby={undefined}
          className="fixed top-[12dvh] left-1/2 z-50 w-xl max-w-[calc(100vw-1rem)] -translate-x-1/2 overflow-hidden rounded-lg border bg-raised shadow-lg outline-none max-sm:top-2"
        >
          <Primitive.Title className="sr-only">{t('shell.search')}</Primitive.Title>
          <Command label={t('shell.search')} shouldFilter={false} loop>
            <Command.Input
              value={text}
              onValueChange={setText}
              placeholder={t('palette.placeholder')}
              className="h-11 w-full border-b bg-transparent px-3.5 text-base outline-none placeholder:text-muted-foreground pointer-coarse:h-14"
            />
            <Command.List
              label={t('shell.search')}
              className="max-h-[min(26rem,70dvh)] overflow-y-auto p-1.5"
            >
              <Hits
                app={app}
                hits={typed.length > 1 ? (search.data?.items ?? []) : []}
                onOpen={({ collection, id }) =>
                  run(() => navigate({ to: '/r/$collection/$id', params: { collection, id } }))
                }
              />
              <Entries
                heading={t('palette.pages')}
                entries={pages.filter(({ label }) => fits(label, typed))}
                onRun={(entry) => run(entry.run)}
              />
              <Entries
                heading={t('palette.actions')}
                entries={acts.filter(({ label }) => fits(label, typed))}
                onRun={(entry) => run(entry.run)}
              />
            </Command.List>
            <Command.Empty className="px-2 py-6 text-center text-muted-foreground">
              {search.isError
                ? problemText(search.error, t)
                : search.isFetching || q !== typed
                  ? t('palette.searching')
                  : t('palette.nothing')}
            </Command.Empty>
          </Command>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
