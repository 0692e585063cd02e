/** The values of an indicator, the newest first: one is added, corrected or deleted here. */
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Pencil, Plus, Trash2 } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { entityQuery } from '@/api/meta';
import { listQuery } from '@/api/records';
import type { Condition, EntityMeta, RecordData } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { useRecordSession } from '@/records/record/session';
import { useDelete } from '@/records/record/useDelete';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';
import { figure } from '../figure';
import { type Chart, readFiguresAgain } from '../figures';
import { periodName } from '../periods';
import { StatusMark } from '../Status';
import { CorrectDialog } from './CorrectDialog';

const CreateDialog = lazy(() =>
  import('@/records/form/CreateDialog').then(({ CreateDialog }) => ({ default: CreateDialog })),
);

const SHOWN = 12;
const FIELDS = ['period_start', 'value', 'numerator', 'denominator', 'status', 'comment'];

interface RowProps {
  entity: EntityMeta;
  record: RecordData;
  chart: Chart;
  onCorrect: () => void;
}

function Row({ entity, record, chart, onCorrect }: RowProps) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const client = useQueryClient();
  const period = periodName(chart.frequency, String(record.period_start), language, t);
  const removal = useDelete(entity, record, period, () => void readFiguresAgain(client));
  const { status } = record;
  return (
    <tr className="border-b last:border-b-0">
      <th scope="row" className="px-2 py-1 text-left font-normal whitespace-nowrap">
        {period}
      </th>
      <td className="px-2 py-1 text-right whitespace-nowrap tabular-nums">
        {figure(record.value, language, chart)}
      </td>
      <td className="px-2 py-1">
        <StatusMark
          status={status === 'GREEN' || status === 'ORANGE' || status === 'RED' ? status : 'NO_DATA'}
        />
      </td>
      <td className="max-w-72 px-2 py-1 break-words max-sm:hidden">{String(record.comment ?? '')}</td>
      <td className="px-1 text-right whitespace-nowrap print:hidden">
        {entity.can.edit && (
          <Button
            variant="ghost"
            size="icon"
            aria-label={t('values.correct', { period })}
            onClick={onCorrect}
          >
            <Pencil aria-hidden />
          </Button>
        )}
        {entity.can.delete && (
          <Button
            variant="ghost"
            size="icon"
            aria-label={t('values.delete', { period })}
            onClick={() => removal.remove()}
          >
            <Trash2 aria-hidden />
          </Button>
        )}
      </td>
    </tr>
  );
}

function List({ entity, chart }: { entity: EntityMeta; chart: Chart }) {
  const { t } = useTranslation('kpi');
  const { t: house } = useTranslation();
  const client = useQueryClient();
  const { page } = useRecordSession();
  const { id } = page.record;
  const [adding, setAdding] = useState(false);
  const [correcting, setCorrecting] = useState<RecordData | null>(null);
  const filter: Condition = { field: 'kpi_id', op: 'eq', value: id };
  const { data, error, isError, refetch } = useInfiniteQuery(
    listQuery(entity, { fields: FIELDS, filter, sort: ['-period_start'], limit: SHOWN }),
  );
  const first = data?.pages[0];
  const rows = first?.items ?? [];
  return (
    <section aria-labelledby="values" className="flex flex-col gap-1">
      <div className="flex min-h-7 items-center gap-2">
        <h2 id="values" className="mr-auto font-semibold">
          {t('values.title')}
        </h2>
        {(first?.total ?? 0) > rows.length && (
          <Button variant="ghost" asChild className="print:hidden">
            <Link
              to="/r/$collection"
              params={{ collection: entity.collection }}
              search={{ filter, sort: ['-period_start'] }}
            >
              {house('related.all')}
            </Link>
          </Button>
        )}
        {entity.can.create && (
          <Button variant="ghost" className="print:hidden" onClick={() => setAdding(true)}>
            <Plus aria-hidden /> {t('values.add')}
          </Button>
        )}
      </div>
      {isError && !data && <ProblemState error={error} onRetry={() => void refetch()} />}
      {rows.length > 0 && (
        <div className="relative overflow-x-auto rounded-md border">
          <table className="w-full border-collapse">
            <thead className="sr-only">
              <tr>
                <th scope="col">{t('period.title')}</th>
                <th scope="col">{t('chart.value')}</th>
                <th scope="col">{t('chart.status')}</th>
                <th scope="col">{t('values.comment')}</th>
                <th scope="col">{t('values.acts')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((record) => (
                <Row
                  key={record.id}
                  entity={entity}
                  record={record}
                  chart={chart}
                  onCorrect={() => setCorrecting(record)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Suspense fallback={null}>
        {adding && (
          <CreateDialog
            entity={entity}
            initial={{ kpi_id: id }}
            labels={{ [id]: chart.name }}
            onClose={() => setAdding(false)}
            onCreated={() => {
              setAdding(false);
              void readFiguresAgain(client);
            }}
          />
        )}
        {correcting && (
          <CorrectDialog
            entity={entity}
            record={correcting}
            chart={chart}
            onClose={() => setCorrecting(null)}
          />
        )}
      </Suspense>
    </section>
  );
}

export function Values({ chart }: { chart: Chart }) {
  const { data: entity } = useQuery(entityQuery('kpi_value'));
  return entity ? <List entity={entity} chart={chart} /> : <Skeleton className="h-32 rounded-md" />;
}
