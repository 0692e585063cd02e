import { Pencil, RotateCcw, Trash2, X } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, RecordData } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { useReader } from '@/reader/context';
import { formatInteger } from '@/reader/format';
import { Button } from '@/ui/button';
import { deleteOperations, useBulk } from './bulk';
import { recordName } from './GridRow';

const BulkEditDialog = lazy(() =>
  import('./BulkEditDialog').then(({ BulkEditDialog }) => ({ default: BulkEditDialog })),
);

interface BulkBarProps {
  entity: EntityMeta;
  records: RecordData[];
  /** There are more that match than those selected: how many in all, and the way to select them. */
  matching: { total: number; select: () => Promise<void> } | null;
  /** The list shows deleted records: they are brought back instead. */
  deleted: boolean;
  onSelect: (ids: string[]) => void;
}

function useDeletion({ entity, records, onSelect }: Omit<BulkBarProps, 'deleted' | 'matching'>) {
  const { t } = useTranslation();
  const { run, restore } = useBulk(entity);
  const bringBack = async (gone: RecordData[]) => {
    const count = await restore(gone).catch(() => 0);
    if (count < gone.length) {
      failed(t('bulk.not_restored', { count: gone.length - count }));
    }
    if (count > 0) {
      told(t('bulk.restored', { count }));
    }
  };
  const remove = async () => {
    try {
      const report = await run(records, deleteOperations(records));
      onSelect(report.failed.map(({ record }) => record.id));
      if (report.done.length > 0) {
        told(t('bulk.deleted', { count: report.done.length }), {
          label: t('action.undo'),
          run: () => void bringBack(report.done),
        });
      }
      if (report.failed.length > 0) {
        const [first] = report.failed;
        const reason = first?.problem?.detail ?? first?.problem?.title ?? '';
        failed(
          t('bulk.not_deleted', { count: report.failed.length }),
          first && `${recordName(entity, first.record)}: ${reason}`,
        );
      }
    } catch (error) {
      failed(t('bulk.not_deleted', { count: records.length }), problemText(error, t));
    }
  };
  return { remove, bringBack };
}

export function BulkBar({ entity, records, matching, deleted, onSelect }: BulkBarProps) {
  const { t } = useTranslation();
  const { language } = useReader();
  const [dialog, setDialog] = useState<RecordData[] | null>(null);
  const [busy, setBusy] = useState(false);
  const { remove, bringBack } = useDeletion({ entity, records, onSelect });
  const during = (act: () => Promise<void>) => {
    setBusy(true);
    void act().finally(() => setBusy(false));
  };
  const selectMatching = (select: () => Promise<void>) => () =>
    select().catch((error: unknown) => failed(t('bulk.not_selected'), problemText(error, t)));
  const restoreSelected = async () => {
    await bringBack(records);
    onSelect([]);
  };
  return (
    <>
      {records.length > 0 && (
        <section
          aria-label={t('bulk.bar')}
          className="absolute bottom-3 left-1/2 z-10 flex max-w-[calc(100%-1rem)] -translate-x-1/2 items-center gap-1 rounded-lg border bg-raised p-1.5 shadow-lg"
        >
          <span role="status" className="px-2 font-medium whitespace-nowrap tabular-nums">
            {t('bulk.selected', { count: records.length })}
          </span>
          {matching && (
            <Button variant="ghost" disabled={busy} onClick={() => during(selectMatching(matching.select))}>
              {t('bulk.select_matching', { total: formatInteger(matching.total, language) })}
            </Button>
          )}
          {!deleted && entity.can.edit && (
            <Button disabled={busy} onClick={() => setDialog(records)}>
              <Pencil aria-hidden /> {t('action.edit')}
            </Button>
          )}
          {!deleted && entity.can.delete && (
            <Button variant="danger-ghost" disabled={busy} onClick={() => during(remove)}>
              <Trash2 aria-hidden /> {t('action.delete')}
            </Button>
          )}
          {deleted && (
            <Button disabled={busy} onClick={() => during(restoreSelected)}>
              <RotateCcw aria-hidden /> {t('action.restore')}
            </Button>
          )}
          <Button variant="ghost" size="icon" aria-label={t('bulk.clear')} onClick={() => onSelect([])}>
            <X aria-hidden />
          </Button>
        </section>
      )}
      <Suspense fallback={null}>
        {dialog && (
          <BulkEditDialog
            entity={entity}
            records={dialog}
            onClose={() => setDialog(null)}
            onDone={onSelect}
          />
        )}
      </Suspense>
    </>
  );
}
