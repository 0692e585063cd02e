/** Values of a dashboard, entered by hand or pasted from a spreadsheet. */
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useBlocker, useNavigate } from '@tanstack/react-router';
import { ArrowLeft, ArrowRight } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { entityQuery } from '@/api/meta';
import { recordQuery } from '@/api/records';
import type { EntityMeta } from '@/api/types';
import { NotFoundPage } from '@/feedback/NotFoundPage';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { dayOf } from '@/reader/zone';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { EmptyState } from '@/ui/empty-state';
import { Select } from '@/ui/input';
import { Skeleton } from '@/ui/skeleton';
import { dashboard as toDashboard } from '../drill';
import { type Tile, tilesQuery } from '../figures';
import {
  FREQUENCIES,
  type Frequency,
  isWindow,
  periodName,
  shiftWindow,
  windowName,
  windowOf,
} from '../periods';
import { SheetTable } from './SheetTable';
import type { Fault } from './sheet';
import { useSheet } from './useSheet';

const route = getRouteApi('/_app/p/$page');

interface LoadedProps {
  values: EntityMeta;
  id: string;
  title: string;
  closedBefore: string | null;
  tiles: Tile[];
}

/** Leaving with cells that are not saved asks first. */
function LeaveQuestion({
  dirty,
  count,
  onDiscard,
}: {
  dirty: boolean;
  count: number;
  onDiscard: () => void;
}) {
  const { t } = useTranslation('kpi');
  const { t: house } = useTranslation();
  const blocker = useBlocker({ shouldBlockFn: () => dirty, enableBeforeUnload: dirty, withResolver: true });
  if (blocker.status !== 'blocked') {
    return null;
  }
  return (
    <Dialog open onOpenChange={(open) => !open && blocker.reset()}>
      <DialogContent
        role="alertdialog"
        title={t('entry.leave', { count })}
        closeLabel={house('action.close')}
        bodyClassName="p-3"
      >
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={blocker.reset}>{house('form.stay')}</Button>
          <Button
            variant="danger"
            onClick={() => {
              onDiscard();
              blocker.proceed();
            }}
          >
            {house('form.discard')}
          </Button>
        </div>
      </DialogContent>
    </Dialog>
  );
}

function Loaded({ values, id, title, closedBefore, tiles }: LoadedProps) {
  const { t } = useTranslation('kpi');
  const { t: house } = useTranslation();
  const { language, timeZone } = useReader();
  const navigate = useNavigate();
  const { at, by } = route.useSearch();
  const [beyond, setBeyond] = useState(0);
  const present = FREQUENCIES.filter((name) => tiles.some(({ frequency }) => frequency === name));
  const frequency: Frequency = present.find((name) => name === by) ?? present[0] ?? 'MONTHLY';
  const today = dayOf(new Date().toISOString(), timeZone);
  const window = isWindow(frequency, at) ? at : windowOf(frequency, today);
  const state = useSheet(values, tiles, frequency, window, closedBefore);
  const { changes, faults, refused } = state;
  const show = (search: { at?: string; by?: string }) =>
    void navigate({ to: '.', search: { open: id, by: frequency, at: window, ...search }, replace: true });
  const words = (fault: Fault) =>
    t(`entry.fault.${fault.code}`, { count: 'count' in fault ? fault.count : 0 });
  const wrong = (key: string) => {
    const fault = faults.find((change) => change.key === key)?.fault;
    return fault ? words(fault) : refused[key];
  };
  const nameOf = (kpi: string) => tiles.find(({ kpi_id }) => kpi_id === kpi)?.name ?? '';
  const ready = changes.filter(({ operation }) => operation).length;
  return (
    <div className="flex h-full flex-col">
      <header className="flex flex-col gap-2 border-b px-4 py-3">
        <div className="flex flex-wrap items-center gap-2">
          <div className="min-w-0 flex-1 basis-64">
            <Link {...toDashboard(id)} className="text-muted-foreground hover:underline">
              {title}
            </Link>
            <h1 className="text-lg font-semibold">{t('entry.title')}</h1>
          </div>
          {present.length > 1 && (
            <Select
              aria-label={t('entry.frequency')}
              className="w-auto"
              value={frequency}
              disabled={changes.length > 0}
              onChange={({ target }) => show({ by: target.value, at: undefined })}
            >
              {present.map((name) => (
                <option key={name} value={name}>
                  {t(`frequency.${name}`)}
                </option>
              ))}
            </Select>
          )}
          <div className="flex items-center">
            <Button
              variant="ghost"
              size="icon"
              aria-label={t('entry.before')}
              onClick={() => show({ at: shiftWindow(window, -1) })}
            >
              <ArrowLeft aria-hidden />
            </Button>
            <span aria-live="polite" className="min-w-16 text-center font-medium tabular-nums">
              {windowName(window, language)}
            </span>
            <Button
              variant="ghost"
              size="icon"
              aria-label={t('entry.after')}
              onClick={() => show({ at: shiftWindow(window, 1) })}
            >
              <ArrowRight aria-hidden />
            </Button>
          </div>
        </div>
        <p className="text-muted-foreground">{t('entry.help')}</p>
      </header>
      {state.values.isError ? (
        <ProblemState error={state.values.error} onRetry={() => void state.values.refetch()} />
      ) : state.values.data ? (
        <SheetTable tiles={tiles} state={state} label={t('entry.title')} wrong={wrong} onBeyond={setBeyond} />
      ) : (
        <Skeleton className="m-4 h-64" />
      )}
      {(faults.length > 0 || Object.keys(refused).length > 0 || beyond > 0) && (
        <div
          role="alert"
          className="max-h-32 shrink-0 overflow-y-auto border-t bg-danger-surface px-4 py-2 text-danger"
        >
          {beyond > 0 && <p>{t('entry.beyond', { count: beyond })}</p>}
          <ul>
            {changes
              .filter(({ key }) => wrong(key) !== undefined)
              .map(({ key, kpi, start }) => (
                <li key={key}>
                  {t('entry.wrong', {
                    name: nameOf(kpi),
                    period: periodName(frequency, start, language, t),
                    message: wrong(key),
                  })}
                </li>
              ))}
          </ul>
        </div>
      )}
      {changes.length > 0 && (
        <div className="flex shrink-0 flex-wrap items-center gap-2 border-t bg-raised px-4 py-2">
          <span className="mr-auto" aria-live="polite">
            {t('entry.changed', { count: changes.length })}
          </span>
          <Button
            onClick={() => {
              state.discard();
              setBeyond(0);
            }}
          >
            {house('form.discard')}
          </Button>
          <Button
            variant="primary"
            disabled={faults.length > 0 || ready === 0 || state.saving}
            onClick={() => {
              setBeyond(0);
              void state.save();
            }}
          >
            {house('action.save')}
          </Button>
        </div>
      )}
      <LeaveQuestion dirty={changes.length > 0} count={changes.length} onDiscard={state.discard} />
    </div>
  );
}

export function EntryPage() {
  const { open } = route.useSearch();
  const { data: entity } = useQuery(entityQuery('dashboard'));
  const { data: values } = useQuery(entityQuery('kpi_value'));
  if (open === undefined) {
    return <NotFoundPage />;
  }
  return entity && values ? (
    <OfDashboard key={open} entity={entity} values={values} id={open} />
  ) : (
    <Skeleton className="m-4 h-64" />
  );
}

function OfDashboard({ entity, values, id }: { entity: EntityMeta; values: EntityMeta; id: string }) {
  const { t } = useTranslation('kpi');
  const page = useQuery(recordQuery(entity, id));
  const tiles = useQuery(tilesQuery(id));
  const error = page.error ?? tiles.error;
  if (error) {
    return <ProblemState error={error} onRetry={() => void Promise.all([page.refetch(), tiles.refetch()])} />;
  }
  if (!page.data || !tiles.data) {
    return <Skeleton className="m-4 h-64" />;
  }
  if (tiles.data.items.length === 0) {
    return <EmptyState title={t('board.empty')}>{t('board.empty_help')}</EmptyState>;
  }
  const { title, closed_before } = page.data.record;
  return (
    <Loaded
      values={values}
      id={page.data.record.id}
      title={String(title ?? '')}
      closedBefore={typeof closed_before === 'string' ? closed_before : null}
      tiles={tiles.data.items}
    />
  );
}
