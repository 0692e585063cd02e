/** The same as the chart, as a table: for screen readers, and for whoever wants the figures. */
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { figure } from '../figure';
import type { Chart, Span } from '../figures';
import { periodName } from '../periods';
import { Scroller } from '../Scroller';

interface Row {
  start: string;
  value: number | null;
  status: string | null;
  target: number | null;
}

export function DataTable({ chart, by }: { chart: Chart; by: Span | null }) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const rows: Row[] =
    by === null
      ? chart.points.map(({ period_start, ...point }) => ({ ...point, start: period_start }))
      : (chart.spans ?? []).map(({ from, value, status }) => ({
          start: from ?? '',
          value,
          status,
          target: null,
        }));
  const head = 'px-2 py-1 text-left text-xs font-medium text-muted-foreground';
  return (
    <details>
      <summary className="w-fit cursor-pointer py-1 pointer-coarse:min-h-11">{t('chart.table')}</summary>
      <Scroller label={t('chart.table')} className="max-h-80 overflow-auto rounded-md border">
        <table className="w-full border-collapse">
          <thead>
            <tr className="border-b">
              <th scope="col" className={head}>
                {t('period.title')}
              </th>
              <th scope="col" className={`${head} text-right`}>
                {t('chart.value')}
              </th>
              <th scope="col" className={head}>
                {t('chart.status')}
              </th>
              {by === null && (
                <th scope="col" className={`${head} text-right`}>
                  {t('chart.target')}
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {rows.toReversed().map(({ start, value, status, target }) => (
              <tr key={start} className="border-b last:border-b-0">
                <th scope="row" className="px-2 py-1 text-left font-normal">
                  {periodName(by ?? chart.frequency, start, language, t)}
                </th>
                <td className="px-2 py-1 text-right tabular-nums">{figure(value, language, chart)}</td>
                <td className="px-2 py-1">{t(`status.${status ?? 'NO_DATA'}`)}</td>
                {by === null && (
                  <td className="px-2 py-1 text-right tabular-nums">{figure(target, language, chart)}</td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </details>
  );
}
