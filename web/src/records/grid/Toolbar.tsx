import { MoreHorizontal, Plus, SlidersHorizontal } from 'lucide-react';
import { lazy, type RefObject, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta } from '@/api/types';
import { useReader } from '@/reader/context';
import { formatInteger } from '@/reader/format';
import { FilterBar } from '@/records/filter/FilterBar';
import { useOwnParts } from '@/records/record/own-parts';
import type { EffectiveView, ViewChoice } from '@/records/view/effective';
import type { GridSearch } from '@/records/view/search';
import type { AddressState } from '@/records/view/state';
import { ViewMenu } from '@/records/view/ViewMenu';
import { Button } from '@/ui/button';
import { Menu, MenuContent, MenuItem, MenuTrigger } from '@/ui/menu';
import { Popover, PopoverContent, PopoverTrigger } from '@/ui/popover';
import { Skeleton } from '@/ui/skeleton';
import { Tooltip } from '@/ui/tooltip';
import type { Rows } from './rows';
import { SearchBox } from './SearchBox';

const DisplayOptions = lazy(() =>
  import('./DisplayOptions').then(({ DisplayOptions }) => ({ default: DisplayOptions })),
);

/** Nothing of the address changes the view any more. */
const AS_SAVED = { filter: undefined, sort: undefined, columns: undefined };

interface ToolbarProps {
  entity: EntityMeta;
  view: {
    search: GridSearch;
    change: AddressState['change'];
    choices: ViewChoice[];
    current: ViewChoice | undefined;
    shown: EffectiveView;
  };
  rows: Rows;
  widths: Record<string, number>;
  searchBox: RefObject<HTMLInputElement | null>;
  onLeaveSearch: () => void;
}

function Count({ rows }: { rows: Rows }) {
  const { t } = useTranslation();
  const { language } = useReader();
  if (rows.total === null) {
    return null;
  }
  const number = formatInteger(rows.total, language);
  return (
    <span role="status" className="shrink-0 text-muted-foreground tabular-nums">
      {rows.more ? t('grid.at_least', { number }) : number}
    </span>
  );
}

function Display({ entity, view }: Pick<ToolbarProps, 'entity' | 'view'>) {
  const { t } = useTranslation();
  const { shown, change } = view;
  return (
    <Popover>
      <Tooltip text={t('grid.display_help')}>
        <PopoverTrigger asChild>
          <Button variant="ghost" aria-label={t('grid.display')}>
            <SlidersHorizontal aria-hidden />
            <span className="hidden @4xl:inline">{t('grid.display')}</span>
          </Button>
        </PopoverTrigger>
      </Tooltip>
      <PopoverContent
        aria-label={t('grid.display')}
        align="end"
        className="max-h-[min(36rem,var(--radix-popover-content-available-height))]"
      >
        <Suspense fallback={<Skeleton className="h-60" />}>
          <DisplayOptions
            entity={entity}
            columns={shown.columns}
            sort={shown.sort}
            onColumns={(columns) => change({ columns }, true)}
            onSort={(sort) => change({ sort }, true)}
          />
        </Suspense>
      </PopoverContent>
    </Popover>
  );
}

export function Toolbar({ entity, view, rows, widths, searchBox, onLeaveSearch }: ToolbarProps) {
  const { t } = useTranslation();
  const { search, change, shown, current } = view;
  const Tools = useOwnParts(entity.name)?.Tools;
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-x-2 gap-y-1.5 border-b px-3 py-1.5">
      <div className="order-1 -ml-2 flex min-w-0 flex-1 items-center gap-2">
        <ViewMenu
          entity={entity}
          choices={view.choices}
          current={current}
          changed={shown.changed}
          definition={{ columns: shown.columns, sort: shown.sort, filter: shown.filter, widths }}
          onChoose={(key) => change({ ...AS_SAVED, view: key ?? undefined, deleted: undefined })}
          onReset={() => change(AS_SAVED)}
        />
        <Count rows={rows} />
      </div>
      <span aria-hidden className="order-3 basis-full @3xl:hidden" />
      <div className="order-4 min-w-40 flex-1 @3xl:order-2 @3xl:max-w-60">
        <SearchBox
          ref={searchBox}
          value={search.q ?? ''}
          label={t('grid.search', { label: entity.label_plural })}
          onChange={(q) => change({ q: q || undefined }, search.q !== undefined)}
          onLeave={onLeaveSearch}
        />
      </div>
      <div className="order-2 flex items-center gap-1 @3xl:order-3">
        <Display entity={entity} view={view} />
        <MoreMenu search={search} change={change} />
        {entity.can.create && Tools && (
          <Suspense fallback={null}>
            <Tools />
          </Suspense>
        )}
        {entity.can.create && (
          <Button
            variant="primary"
            aria-label={t('grid.create', { label: entity.label })}
            onClick={() => change({ create: true })}
          >
            <Plus aria-hidden />
            <span className="max-sm:hidden">{t('action.create')}</span>
          </Button>
        )}
      </div>
      <div className="order-5 max-w-full min-w-0 @3xl:basis-full">
        <FilterBar
          entity={entity}
          filter={shown.filter}
          onChange={(filter) => change({ filter }, search.filter !== undefined)}
        />
      </div>
    </div>
  );
}

function MoreMenu({ search, change }: Pick<ToolbarProps['view'], 'search' | 'change'>) {
  const { t } = useTranslation();
  return (
    <Menu>
      <Tooltip text={t('grid.more')}>
        <MenuTrigger asChild>
          <Button variant="ghost" size="icon" aria-label={t('grid.more')}>
            <MoreHorizontal aria-hidden />
          </Button>
        </MenuTrigger>
      </Tooltip>
      <MenuContent align="end">
        <MenuItem onSelect={() => change({ deleted: search.deleted ? undefined : true, open: undefined })}>
          {t(search.deleted ? 'grid.hide_deleted' : 'grid.show_deleted')}
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
