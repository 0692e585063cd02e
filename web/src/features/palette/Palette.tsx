/** Ctrl/Cmd+K: records, pages and acts by typing a few letters. */
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { LogOut, Moon, Plus, Sun, UserRound } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import { type ReactNode, useDeferredValue, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '@/api/client';
import type { AppMeta, SearchHit } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { useDebounced } from '@/reader/debounce';
import { menuItems, menuKey, menuTarget } from '@/shell/navigation';
import { usePreferences } from '@/shell/profile';
import { useSignOut } from '@/shell/UserMenu';
import { Highlight } from '@/ui/highlight';
import { Icon } from '@/ui/icon';

function searchQuery(q: string) {
  return queryOptions({
    queryKey: ['search', q],
    queryFn: ({ signal }) => api.get<{ items: SearchHit[] }>('/search', { query: { q, limit: 20 }, signal }),
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

interface EntryProps {
  value: string;
  /** Words by which it is found besides its text. */
  keywords?: string[];
  onSelect: () => void;
  children: ReactNode;
}

function Entry({ children, ...props }: EntryProps) {
  return (
    <Command.Item className={item} {...props}>
      {children}
    </Command.Item>
  );
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

/** What the server found is shown as it ranked it; `cmdk` filters pages and acts only. */
function Hits({ hits, onOpen }: { hits: SearchHit[]; onOpen: (hit: SearchHit) => void }) {
  const { t } = useTranslation();
  return (
    <Group heading={t('palette.records')}>
      {hits.map((hit) => (
        <Command.Item
          key={hit.id}
          value={`record ${hit.id}`}
          forceMount
          className={item}
          onSelect={() => onOpen(hit)}
        >
          {hit.number && <span className="shrink-0 text-muted-foreground tabular-nums">{hit.number}</span>}
          <span className="min-w-0 flex-1 truncate">
            <Highlight text={hit.highlight ?? hit.title} />
          </span>
          <span className="shrink-0 text-xs text-muted-foreground">{hit.label}</span>
        </Command.Item>
      ))}
    </Group>
  );
}

export function Palette({ app, onClose }: PaletteProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const preferences = usePreferences();
  const signOut = useSignOut();
  const [text, setText] = useState('');
  const q = useDebounced(useDeferredValue(text.trim()), 120);
  const search = useQuery(searchQuery(q));
  const hits = q.length > 1 ? (search.data?.items ?? []) : [];
  const then = (act: () => unknown) => () => {
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
          <Command label={t('shell.search')} loop>
            <Command.Input
              value={text}
              onValueChange={setText}
              placeholder={t('palette.placeholder')}
              className="h-11 w-full border-b bg-transparent px-3.5 text-base outline-none placeholder:text-muted-foreground pointer-coarse:h-14"
            />
            <Command.List className="max-h-[min(26rem,70dvh)] overflow-y-auto p-1.5">
              <Command.Empty className="px-2 py-6 text-center text-muted-foreground">
                {search.isError
                  ? problemText(search.error, t)
                  : search.isFetching
                    ? t('palette.searching')
                    : t('palette.nothing')}
              </Command.Empty>
              {hits.length > 0 && (
                <Hits
                  hits={hits}
                  onOpen={({ collection, id }) =>
                    then(() => navigate({ to: '/r/$collection/$id', params: { collection, id } }))()
                  }
                />
              )}
              <Group heading={t('palette.pages')}>
                {menuItems(app).map((entry) => (
                  <Entry
                    key={menuKey(entry)}
                    value={`page ${menuKey(entry)}`}
                    keywords={[entry.label]}
                    onSelect={then(() => navigate(menuTarget(entry)))}
                  >
                    <Icon name={entry.icon} /> {entry.label}
                  </Entry>
                ))}
                <Entry
                  value="page account"
                  keywords={[t('user.account')]}
                  onSelect={then(() => navigate({ to: '/account' }))}
                >
                  <UserRound aria-hidden /> {t('user.account')}
                </Entry>
              </Group>
              <Group heading={t('palette.actions')}>
                {app.entities
                  .filter((entity) => entity.can.create)
                  .map((entity) => {
                    const label = t('palette.create', { label: entity.label });
                    return (
                      <Entry
                        key={entity.name}
                        value={`create ${entity.name}`}
                        keywords={[label]}
                        onSelect={then(() =>
                          navigate({
                            to: '/r/$collection',
                            params: { collection: entity.collection },
                            search: { create: true },
                          }),
                        )}
                      >
                        <Plus aria-hidden /> {label}
                      </Entry>
                    );
                  })}
                <Entry
                  value="theme light"
                  keywords={[t('palette.light')]}
                  onSelect={then(() => preferences.setTheme('light'))}
                >
                  <Sun aria-hidden /> {t('palette.light')}
                </Entry>
                <Entry
                  value="theme dark"
                  keywords={[t('palette.dark')]}
                  onSelect={then(() => preferences.setTheme('dark'))}
                >
                  <Moon aria-hidden /> {t('palette.dark')}
                </Entry>
                <Entry value="sign out" keywords={[t('user.sign_out')]} onSelect={then(signOut)}>
                  <LogOut aria-hidden /> {t('user.sign_out')}
                </Entry>
              </Group>
            </Command.List>
          </Command>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
