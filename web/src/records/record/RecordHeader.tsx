import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { TFunction } from 'i18next';
import {
  KeyRound,
  Link2,
  Maximize2,
  MoreHorizontal,
  PencilLine,
  Printer,
  Share2,
  Trash2,
  X,
} from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { appMetaQuery, fieldNamed } from '@/api/meta';
import type { EntityMeta, RecordData } from '@/api/types';
import { told } from '@/feedback/toasts';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { Button } from '@/ui/button';
import { Icon } from '@/ui/icon';
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from '@/ui/menu';
import { Skeleton } from '@/ui/skeleton';
import { useOwnParts } from './own-parts';
import { RecordField } from './RecordField';
import { isHeading } from './RecordFields';
import { StateMoves } from './StateMoves';
import { useEditing, useRecordSession } from './session';

const RightsDialog = lazy(() =>
  import('./rights/RightsDialog').then(({ RightsDialog }) => ({ default: RightsDialog })),
);
const ShareDialog = lazy(() =>
  import('./share/ShareDialog').then(({ ShareDialog }) => ({ default: ShareDialog })),
);

/** What a record is called: its title, else its number. */
export function recordTitle(entity: EntityMeta, values: RecordData, t: TFunction): string {
  const title = entity.title_field === null ? null : values[entity.title_field];
  if (typeof title === 'string' && title !== '') {
    return title;
  }
  return typeof values.number === 'string' ? values.number : t('record.untitled', { label: entity.label });
}

interface RecordHeaderProps {
  writing: boolean;
  onWriting: () => void;
  onDelete: () => void;
  onClose?: () => void;
}

export function RecordHeader({ writing, onWriting, onDelete, onClose }: RecordHeaderProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { entity, page, mode } = useRecordSession();
  const { edit } = useEditing();
  const { data: app } = useQuery(appMetaQuery);
  const [sharing, setSharing] = useState(false);
  const own = useOwnParts(entity.name);
  const [explaining, setExplaining] = useState(false);
  const { record, can, labels } = page;
  const title = recordTitle(entity, edit.values, t);
  const heading = entity.fields.find((field) => isHeading(field, entity));
  const state = entity.state_field === null ? undefined : fieldNamed(entity, entity.state_field);
  const reference = typeof record.number === 'string' ? record.number : record.id;
  const copy = async () => {
    await navigator.clipboard.writeText(`${location.origin}/r/${entity.collection}/${reference}`);
    told(t('record.link_copied'));
  };
  return (
    <header className="flex shrink-0 flex-col gap-1.5 border-b px-4 pt-2.5 pb-3">
      <div className="flex items-center gap-2">
        <span className="flex min-w-0 flex-1 items-center gap-1.5 text-muted-foreground">
          <Icon name={entity.icon} />
          <span className="truncate">{entity.label}</span>
          {typeof record.number === 'string' && (
            <span className="shrink-0 tabular-nums">{record.number}</span>
          )}
          {!can.edit && entity.kind === 'record' && (
            <span className="ml-1 shrink-0 rounded-sm border px-1.5 text-xs">{t('record.readonly')}</span>
          )}
        </span>
        <span className="flex shrink-0 items-center print:hidden">
          {can.edit && (
            <Button
              variant="ghost"
              size="icon"
              aria-pressed={writing}
              aria-label={t('record.edit_all')}
              title={t('record.edit_all')}
              className="aria-pressed:bg-selected"
              onClick={onWriting}
            >
              <PencilLine aria-hidden />
            </Button>
          )}
          <Button
            variant="ghost"
            size="icon"
            aria-label={t('record.copy_link')}
            title={t('record.copy_link')}
            onClick={() => void copy()}
          >
            <Link2 aria-hidden />
          </Button>
          {entity.sharing && (
            <Button
              variant="ghost"
              size="icon"
              aria-label={t('share.open')}
              title={t('share.open')}
              onClick={() => setSharing(true)}
            >
              <Share2 aria-hidden />
            </Button>
          )}
          {mode === 'panel' && (
            <Button
              variant="ghost"
              size="icon"
              aria-label={t('record.open_page')}
              title={t('record.open_page')}
              onClick={() =>
                void navigate({
                  to: '/r/$collection/$id',
                  params: { collection: entity.collection, id: reference },
                })
              }
            >
              <Maximize2 aria-hidden />
            </Button>
          )}
          <Menu>
            <MenuTrigger asChild>
              <Button variant="ghost" size="icon" aria-label={t('grid.more')}>
                <MoreHorizontal aria-hidden />
              </Button>
            </MenuTrigger>
            <MenuContent align="end">
              <MenuItem onSelect={() => window.print()}>
                <Printer aria-hidden /> {t('record.print')}
              </MenuItem>
              {app?.user.roles.includes('admin') && (
                <MenuItem onSelect={() => setExplaining(true)}>
                  <KeyRound aria-hidden /> {t('rights.open')}
                </MenuItem>
              )}
              {can.delete && (
                <>
                  <MenuSeparator />
                  <MenuItem onSelect={onDelete}>
                    <Trash2 aria-hidden /> {t('action.delete')}
                  </MenuItem>
                </>
              )}
            </MenuContent>
          </Menu>
          {sharing && (
            <Suspense fallback={null}>
              <ShareDialog onClose={() => setSharing(false)} />
            </Suspense>
          )}
          {explaining && (
            <Suspense fallback={null}>
              <RightsDialog onClose={() => setExplaining(false)} />
            </Suspense>
          )}
          {onClose && (
            <Button variant="ghost" size="icon" aria-label={t('action.close')} onClick={onClose}>
              <X aria-hidden />
            </Button>
          )}
        </span>
      </div>
      {heading ? (
        <RecordField
          field={heading}
          writing={writing}
          required={false}
          above
          heading={<h1 className="text-lg leading-snug font-semibold break-words">{title}</h1>}
        />
      ) : (
        <h1 className="text-lg leading-snug font-semibold break-words">{title}</h1>
      )}
      {state && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
          <FieldDisplay
            field={state}
            value={edit.values[state.name]}
            variant="line"
            labels={labels}
            states={entity.states}
          />
          <StateMoves />
        </div>
      )}
      {own?.Actions && (
        <Suspense fallback={<Skeleton className="h-7 w-64 rounded-md pointer-coarse:h-11" />}>
          <own.Actions />
        </Suspense>
      )}
    </header>
  );
}
