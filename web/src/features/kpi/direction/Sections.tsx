/** The parts of the management view, on the page as on a slide. */
import { Link } from '@tanstack/react-router';
import { ArrowDown, ArrowUp } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { formatDate, formatInteger } from '@/reader/format';
import { Badge } from '@/ui/badge';
import { Sparkline } from '../chart/Sparkline';
import { dashboard, indicator, plan } from '../drill';
import { figure } from '../figure';
import type { Direction } from '../figures';
import { Scroller } from '../Scroller';
import { StatusMark } from '../Status';
import { PlanCounts, StatusCounts } from './Counted';

export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section aria-labelledby={id} className="flex flex-col gap-2">
      <h2 id={id} className="text-base font-semibold">
        {title}
      </h2>
      {children}
    </section>
  );
}

const HEAD = 'px-2 py-1.5 text-left text-xs font-medium text-muted-foreground print:px-1';

export function Processes({ view }: { view: Direction }) {
  const { t } = useTranslation('kpi');
  return (
    <ul className="grid gap-3 @2xl:grid-cols-2 @5xl:grid-cols-3">
      {view.processes.map((process) => {
        const counted = { process: process.process_name };
        return (
          <li
            key={process.process_name ?? ''}
            className="flex flex-col gap-2 rounded-lg border bg-raised p-3 break-inside-avoid"
          >
            <div className="flex items-center gap-2">
              <h3 className="min-w-0 flex-1 font-semibold break-words">
                {process.process_name ?? t('direction.no_process')}
              </h3>
              <StatusMark status={process.status} />
            </div>
            <StatusCounts counts={process} counted={counted} />
            <PlanCounts counts={process} counted={counted} />
          </li>
        );
      })}
    </ul>
  );
}

export function Boards({ view }: { view: Direction }) {
  const { t } = useTranslation('kpi');
  return (
    <ul className="divide-y rounded-lg border">
      {view.items.map((board) => {
        const counted = { dashboard: board.dashboard_id };
        return (
          <li
            key={board.dashboard_id}
            className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-3 py-2 break-inside-avoid"
          >
            <span className="min-w-48 flex-1">
              <Link {...dashboard(board.dashboard_id)} className="font-medium hover:underline">
                {board.title}
              </Link>
              <span className="block text-xs text-muted-foreground">
                {board.process_name ?? t('direction.no_process')}
              </span>
            </span>
            <PlanCounts counts={board} counted={counted} />
            <StatusCounts counts={board} counted={counted} />
            <StatusMark status={board.status} />
          </li>
        );
      })}
    </ul>
  );
}

/** What the next period is expected to be, and whether that is more or less than now. */
function Expected({ trend }: { trend: Direction['trends'][number] }) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const { forecast, values } = trend;
  const latest = values.at(-1);
  if (!forecast || !latest) {
    return <span className="text-muted-foreground">—</span>;
  }
  const Arrow = forecast.value >= latest.value ? ArrowUp : ArrowDown;
  return (
    <span className="flex flex-col">
      <span className="inline-flex items-center gap-1 tabular-nums">
        <Arrow aria-hidden className="size-3.5" />
        {figure(forecast.value, language, trend)}
      </span>
      <span className="text-xs text-muted-foreground tabular-nums">
        {t('direction.interval', {
          lower: figure(forecast.lower, language, trend),
          upper: figure(forecast.upper, language, trend),
        })}
      </span>
    </span>
  );
}

export function Risks({ view }: { view: Direction }) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  if (view.top_risks.length === 0) {
    return <p className="text-muted-foreground">{t('direction.no_risk')}</p>;
  }
  return (
    <Scroller label={t('direction.risks')} className="rounded-lg border">
      <table className="w-full border-collapse print:text-[8pt]">
        <thead>
          <tr className="border-b">
            <th scope="col" className={`${HEAD} text-right`}>
              {t('direction.rank')}
            </th>
            <th scope="col" className={HEAD}>
              {t('indicator')}
            </th>
            <th scope="col" className={HEAD}>
              {t('chart.status')}
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              {t('chart.value')}
            </th>
            <th scope="col" className={HEAD}>
              {t('direction.trend')}
            </th>
            <th scope="col" className={HEAD}>
              {t('direction.expected')}
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              {t('direction.distance')}
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              {t('direction.reds')}
            </th>
            <th scope="col" className={`${HEAD} text-right`}>
              {t('direction.plans')}
            </th>
          </tr>
        </thead>
        <tbody>
          {view.top_risks.map((risk, at) => {
            const trend = view.trends.find(({ kpi_id }) => kpi_id === risk.kpi_id);
            const board = view.items.find(({ dashboard_id }) => dashboard_id === risk.dashboard_id);
            const owner = risk.owner_id ? view.labels[risk.owner_id] : undefined;
            return (
              <tr key={risk.kpi_id} className="border-b break-inside-avoid last:border-b-0">
                <td className="px-2 py-1.5 print:px-1 text-right text-muted-foreground tabular-nums">
                  {at + 1}
                </td>
                <th
                  scope="row"
                  className="min-w-40 print:min-w-0 px-2 py-1.5 print:px-1 text-left font-medium"
                >
                  <Link {...indicator(risk.kpi_id)} className="hover:underline">
                    {risk.name}
                  </Link>
                  <span className="block text-xs font-normal text-muted-foreground">
                    {[board?.title, owner].filter(Boolean).join(' · ')}
                  </span>
                </th>
                <td className="px-2 py-1.5 print:px-1">
                  <StatusMark status={risk.status} />
                </td>
                <td className="px-2 py-1.5 print:px-1 text-right whitespace-nowrap tabular-nums">
                  {figure(risk.value, language, risk)}
                </td>
                <td className="px-2 py-1.5 print:px-1">
                  {trend && trend.values.length > 1 && (
                    <Sparkline
                      values={trend.values}
                      className="h-7 w-28 print:w-16 print:[print-color-adjust:exact]"
                    />
                  )}
                </td>
                <td className="px-2 py-1.5 print:px-1 whitespace-nowrap print:whitespace-normal">
                  {trend && <Expected trend={trend} />}
                </td>
                <td className="px-2 py-1.5 print:px-1 text-right tabular-nums">
                  {figure(risk.severity * 100, language, { decimals: 0, unit: '%' })}
                </td>
                <td className="px-2 py-1.5 print:px-1 text-right tabular-nums">
                  {formatInteger(risk.consecutive_reds, language)}
                </td>
                <td className="px-2 py-1.5 print:px-1 text-right tabular-nums">
                  {formatInteger(risk.open_actions, language)}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroller>
  );
}

export function Plans({ view }: { view: Direction }) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  if (view.key_actions.length === 0) {
    return <p className="text-muted-foreground">{t('direction.no_plan')}</p>;
  }
  return (
    <ul className="divide-y rounded-lg border">
      {view.key_actions.map((item) => {
        const owner = item.owner_id ? view.labels[item.owner_id] : undefined;
        return (
          <li
            key={item.id}
            className="flex flex-wrap items-center gap-x-4 gap-y-1 px-3 py-2 break-inside-avoid"
          >
            <span className="min-w-48 flex-1">
              <Link {...plan(item.id)} className="font-medium hover:underline">
                {item.title}
              </Link>
              <span className="block text-xs text-muted-foreground">
                {[item.kpi_name, owner].filter(Boolean).join(' · ')}
              </span>
            </span>
            {item.late && <Badge color="red">{t('direction.is_late')}</Badge>}
            <span className="tabular-nums">
              {item.due_date
                ? t('direction.due', { date: formatDate(item.due_date, language) })
                : t('direction.no_due')}
            </span>
            <span className="w-28">
              <span className="flex items-center gap-2">
                <span
                  aria-hidden
                  className="h-1.5 flex-1 overflow-hidden rounded-full bg-[hsl(var(--gray-surface))] print:[print-color-adjust:exact]"
                >
                  <span className="block h-full bg-accent" style={{ width: `${item.progress}%` }} />
                </span>
                <span className="text-xs tabular-nums">
                  {figure(item.progress, language, { decimals: 0, unit: '%' })}
                </span>
              </span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
