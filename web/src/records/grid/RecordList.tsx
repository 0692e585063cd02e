import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useMemo, useRef, useState } from 'react';
import type { ListParams } from '@/api/records';
import type { AppMeta, EntityMeta, RecordData } from '@/api/types';
import { useWidth } from '@/reader/measure';
import { useIsTouch, useIsWide } from '@/reader/media';
import { useLiveRows } from '@/records/live/live-rows';
import { type EffectiveView, effectiveView, nextSort, viewChoices } from '@/records/view/effective';
import { savedViewsQuery } from '@/records/view/saved-views';
import type { GridSearch } from '@/records/view/search';
import { type AddressState, useAddressState } from '@/records/view/state';
import { BulkBar } from './BulkBar';
import { Grid, type GridHandle } from './Grid';
import { ListState } from './ListState';
import { useGridLayout } from './layout';
import { NewRows } from './NewRows';
import { fieldsToRead, type Rows, readMatching, useRows } from './rows';
import { SidePanel } from './SidePanel';
import { keepOnly, NOTHING, type Selection, selectAll } from './selection';
import { Toolbar } from './Toolbar';
import { useListKeys } from './useListKeys';

const CreateDialog = lazy(() =>
  import('@/records/form/CreateDialog').then(({ CreateDialog }) => ({ default: CreateDialog })),
);

/** Where columns would not fit, a record is two lines. */
const CARDS_BELOW = 560;

interface RecordListProps {
  entity: EntityMeta;
  app: AppMeta;
}

/** What is shown: the chosen view with what the address changes of it. */
function useShown({ entity, app }: RecordListProps) {
  const { search, change } = useAddressState();
  const { data: saved } = useQuery(savedViewsQuery(entity.name));
  const choices = useMemo(() => viewChoices(entity, saved ?? [], app.user.id), [entity, saved, app.user.id]);
  const current = choices.find(({ key }) => key === search.view);
  const shown = useMemo(() => effectiveView(entity, current?.definition, search), [entity, current, search]);
  // A view that is still being read is not yet known: until then nothing is asked for in its place.
  const ready = search.view === undefined || current !== undefined || saved !== undefined;
  return { search, change, choices, current, shown, ready };
}

/** What the rows of this address are asked for. */
function listParams(entity: EntityMeta, search: GridSearch, shown: EffectiveView): ListParams {
  return {
    fields: fieldsToRead(entity, shown.columns),
    filter: shown.filter,
    // With words the best match comes first, unless the person sorts by himself.
    sort: search.q && search.sort === undefined ? undefined : shown.sort,
    q: search.q,
    deleted: search.deleted,
  };
}

/** How much room there is, and what for. */
function useRoom() {
  const wide = useIsWide();
  const touch = useIsTouch();
  const [place, width] = useWidth<HTMLDivElement>();
  const cards = width !== null && width < CARDS_BELOW;
  const rowHeight = cards ? (touch ? 64 : 52) : touch ? 44 : 32;
  return { place, wide, cards, rowHeight };
}

/** What is selected: rows on screen, or everything the list's question matches, read or not. */
function useSelection(entity: EntityMeta, params: ListParams, rows: Rows) {
  const question = JSON.stringify(params);
  const [selection, setRows] = useState(NOTHING);
  const [matching, setMatching] = useState<{ question: string; records: RecordData[] } | null>(null);
  const selected = useMemo(() => keepOnly(selection, new Set(rows.ids)), [selection, rows.ids]);
  const onScreen = useMemo(
    () => rows.records.filter(({ id }) => selected.ids.has(id)),
    [rows.records, selected],
  );
  const setSelection = (next: Selection) => {
    setMatching(null);
    setRows(next);
  };
  const total = rows.total ?? 0;
  const selectMatching = async () => {
    const records = await readMatching(entity, params);
    setRows(selectAll(rows.ids));
    setMatching({ question, records });
  };
  const everything = matching?.question === question ? matching.records : null;
  // Offered once every row that was read is selected, and there are more.
  const more = everything === null && onScreen.length === rows.ids.length && total > rows.ids.length;
  return {
    selected,
    records: everything ?? onScreen,
    setSelection,
    matching: more ? { total, select: selectMatching } : null,
  };
}

function useOpening(entity: EntityMeta, { search, change }: AddressState, wide: boolean) {
  const navigate = useNavigate();
  return (id: string) => {
    if (wide) {
      change({ open: id }, search.open !== undefined);
    } else {
      void navigate({ to: '/r/$collection/$id', params: { collection: entity.collection, id } });
    }
  };
}

function moveColumn(columns: string[], field: string, by: -1 | 1): string[] {
  const from = columns.indexOf(field);
  const to = Math.max(0, Math.min(columns.length - 1, from + by));
  return columns.toSpliced(from, 1).toSpliced(to, 0, field);
}

export function RecordList({ entity, app }: RecordListProps) {
  const view = useShown({ entity, app });
  const { search, change, shown } = view;
  const { place, wide, cards, rowHeight } = useRoom();
  const grid = useRef<GridHandle>(null);
  const searchBox = useRef<HTMLInputElement>(null);
  const [scrolledAway, setScrolledAway] = useState(false);
  const { table, widths } = useGridLayout(entity, shown.columns, view.current?.definition.widths);
  const params = listParams(entity, search, shown);
  const { query, rows } = useRows(entity, params, view.ready);
  const live = useLiveRows({ entity, params, scrolledAway });
  const { selected, records, setSelection, matching } = useSelection(entity, params, rows);
  const open = useOpening(entity, view, wide);
  useListKeys({ focusSearch: () => searchBox.current?.focus() });
  const none = rows.ids.length === 0 && !query.isPending;
  return (
    <div className="flex h-full min-h-0">
      <div ref={place} className="@container relative flex min-w-0 flex-1 flex-col">
        <Toolbar
          entity={entity}
          view={view}
          rows={rows}
          widths={widths}
          searchBox={searchBox}
          onLeaveSearch={() => grid.current?.focus()}
        />
        {none ? (
          <ListState
            entity={entity}
            query={query}
            search={search}
            filtered={shown.filter !== null}
            change={change}
          />
        ) : (
          <div className="relative flex min-h-0 flex-1">
            <Grid
              ref={grid}
              entity={entity}
              table={table}
              rows={rows}
              loading={query.isPending}
              stale={query.isPlaceholderData}
              hasMore={query.hasNextPage}
              onReachEnd={() => !query.isFetching && void query.fetchNextPage()}
              sort={params.sort ?? []}
              onSort={(field, add) => change({ sort: nextSort(params.sort ?? [], field, add) })}
              selection={selected}
              onSelect={setSelection}
              openId={search.open ?? null}
              onOpen={open}
              onEscape={() => (selected.ids.size > 0 ? setSelection(NOTHING) : change({ open: undefined }))}
              onMoveColumn={(field, by) => change({ columns: moveColumn(shown.columns, field, by) }, true)}
              onScrolledAway={setScrolledAway}
              cards={cards}
              rowHeight={rowHeight}
            />
            <NewRows
              count={live.waiting}
              onShow={() => {
                grid.current?.scrollToTop();
                void live.refresh();
              }}
            />
          </div>
        )}
        <BulkBar
          entity={entity}
          records={records}
          matching={matching}
          deleted={search.deleted === true}
          onSelect={(ids) => setSelection({ ids: new Set(ids), anchor: null })}
        />
      </div>
      <SidePanel entity={entity} id={search.open} wide={wide} onClose={() => change({ open: undefined })} />
      <Suspense fallback={null}>
        {search.create && entity.can.create && (
          <CreateDialog
            entity={entity}
            onClose={() => change({ create: undefined }, true)}
            onCreated={(id) => {
              setSelection(NOTHING);
              change({ create: undefined, open: id }, true);
            }}
          />
        )}
      </Suspense>
    </div>
  );
}
