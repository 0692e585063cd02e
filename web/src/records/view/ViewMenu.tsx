/** The views of a list: those the module brings, one's own, and those others share. */
import { ChevronDown, Share2, Trash2, Undo2 } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, ViewDefinition } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { Button } from '@/ui/button';
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuRadioGroup,
  MenuRadioItem,
  MenuSeparator,
  MenuTrigger,
} from '@/ui/menu';
import type { ViewChoice } from './effective';
import { useViewWrites } from './saved-views';

const ViewDialog = lazy(() => import('./ViewDialog').then(({ ViewDialog }) => ({ default: ViewDialog })));

interface ViewMenuProps {
  entity: EntityMeta;
  choices: ViewChoice[];
  current: ViewChoice | undefined;
  /** What the list shows differs from the view. */
  changed: boolean;
  /** What would be saved. */
  definition: ViewDefinition;
  /** The key of the view, or null for everything. */
  onChoose: (key: string | null) => void;
  /** Drops what was changed of the view. */
  onReset: () => void;
}

const EVERYTHING = '';
const ORIGINS = ['module', 'mine', 'shared'] as const;

function useViewActs({ entity, current, definition, onChoose, onReset }: ViewMenuProps) {
  const { t } = useTranslation();
  const writes = useViewWrites(entity.name);
  const saved = current?.saved;
  const told_or = (message: string) => ({
    onSuccess: () => told(message),
    onError: (error: unknown) => failed(t('view.failed'), problemText(error, t)),
  });
  return {
    save: () =>
      saved &&
      writes.change.mutate(
        { view: saved, changes: { definition } },
        {
          ...told_or(''),
          onSuccess: () => {
            onReset();
            told(t('view.saved', { name: saved.name }));
          },
        },
      ),
    share: () =>
      saved &&
      writes.change.mutate(
        { view: saved, changes: { shared: !saved.shared } },
        told_or(t(saved.shared ? 'view.unshared' : 'view.shared_now', { name: saved.name })),
      ),
    remove: () =>
      saved &&
      writes.remove.mutate(saved, {
        onSuccess: () => {
          onChoose(null);
          told(t('view.deleted', { name: saved.name }), {
            label: t('action.undo'),
            run: () => writes.restore.mutate(saved, told_or(t('view.restored', { name: saved.name }))),
          });
        },
        onError: (error) => failed(t('view.failed'), problemText(error, t)),
      }),
  };
}

export function ViewMenu(props: ViewMenuProps) {
  const { t } = useTranslation();
  const { entity, choices, current, changed, onChoose, onReset } = props;
  const [dialog, setDialog] = useState<'create' | 'rename' | null>(null);
  const acts = useViewActs(props);
  const mine = current?.origin === 'mine' ? current.saved : undefined;
  const everything = t('view.everything', { label: entity.label_plural });
  return (
    <>
      <Menu>
        <h1 className="min-w-0">
          <MenuTrigger asChild>
            <Button variant="ghost" className="max-w-full min-w-0 px-2 text-base font-semibold">
              <span className="truncate">{current?.label ?? everything}</span>
              {changed && (
                <span className="text-xs font-normal text-muted-foreground max-sm:sr-only">
                  {t('view.changed')}
                </span>
              )}
              <ChevronDown aria-hidden className="text-muted-foreground" />
            </Button>
          </MenuTrigger>
        </h1>
        <MenuContent className="w-64">
          <MenuRadioGroup
            value={current?.key ?? EVERYTHING}
            onValueChange={(key) => onChoose(key === EVERYTHING ? null : key)}
          >
            <MenuRadioItem value={EVERYTHING}>{everything}</MenuRadioItem>
            {ORIGINS.map((origin) => {
              const group = choices.filter((choice) => choice.origin === origin);
              return (
                group.length > 0 && (
                  <div key={origin}>
                    <MenuLabel>{t(`view.origin.${origin}`)}</MenuLabel>
                    {group.map((choice) => (
                      <MenuRadioItem key={choice.key} value={choice.key}>
                        <span className="truncate">{choice.label}</span>
                        {choice.origin === 'mine' && choice.saved?.shared && (
                          <Share2 aria-label={t('view.is_shared')} className="ml-auto size-3.5!" />
                        )}
                      </MenuRadioItem>
                    ))}
                  </div>
                )
              );
            })}
          </MenuRadioGroup>
          <MenuSeparator />
          <MenuItem onSelect={() => setDialog('create')}>{t('view.save_as')}</MenuItem>
          {mine && (
            <>
              <MenuItem onSelect={() => setDialog('rename')}>{t('view.rename')}</MenuItem>
              <MenuItem onSelect={acts.share}>
                <Share2 aria-hidden /> {t(mine.shared ? 'view.unshare' : 'view.share')}
              </MenuItem>
              <MenuItem onSelect={acts.remove}>
                <Trash2 aria-hidden /> {t('view.delete')}
              </MenuItem>
            </>
          )}
        </MenuContent>
      </Menu>
      {changed && (
        <span className="flex shrink-0 items-center gap-1">
          <Button variant="ghost" className="text-muted-foreground" onClick={onReset}>
            <Undo2 aria-hidden />
            <span className="max-sm:sr-only">{t('view.reset')}</span>
          </Button>
          <Button onClick={mine ? acts.save : () => setDialog('create')}>
            {mine ? t('action.save') : t('view.save')}
          </Button>
        </span>
      )}
      <Suspense fallback={null}>
        {dialog && (
          <ViewDialog
            entity={entity}
            view={dialog === 'rename' ? mine : undefined}
            definition={props.definition}
            onClose={() => setDialog(null)}
            onCreated={onChoose}
          />
        )}
      </Suspense>
    </>
  );
}
