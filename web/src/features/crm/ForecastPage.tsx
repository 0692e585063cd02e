/** What is to be expected month by month, and how the last twelve went. */
import { useQuery } from '@tanstack/react-query';
import { TrendingUp } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { forecastQuery, type Owner, reportQuery, type Sum } from '@/api/crm';
import { entityQuery } from '@/api/meta';
import type { EntityMeta } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { EmptyState } from '@/ui/empty-state';
import { Skeleton } from '@/ui/skeleton';
import { Amounts, Money } from './figures';
import { Whose } from './Whose';
import { useWords } from './words';

function monthName(month: string, language: string): string {
  const format = new Intl.DateTimeFormat(language, { month: 'long', year: 'numeric', timeZone: 'UTC' });
  return format.format(new Date(`${month}-01T00:00:00Z`));
}

/** The first day of the month twelve months ago. */
function aYearAgo(): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear() - 1, now.getUTCMonth(), 1)).toISOString().slice(0, 10);
}

interface SumRowProps {
  name: string;
  sum: Sum;
  currency: string;
  strong?: boolean;
}

function SumRow({ name, sum, currency, strong = false }: SumRowProps) {
  return (
    <tr className={strong ? 'border-t font-semibold' : 'border-t'}>
      <th scope="row" className="py-1.5 pr-4 text-left font-medium first-letter:uppercase">
        {name}
      </th>
      <td className="px-2 text-right tabular-nums">{sum.count}</td>
      <td className="px-2 text-right">
        <Money amount={sum.amount} currency={currency} />
      </td>
      <td className="px-2 text-right">
        <Money amount={sum.weighted} currency={currency} />
      </td>
      <td className="px-2 max-sm:hidden">
        <Amounts sum={sum} />
      </td>
    </tr>
  );
}

function SumTable({ first, currency, children }: { first: string; currency: string; children: ReactNode }) {
  const say = useWords();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by the keyboard
    <section className="overflow-x-auto" tabIndex={0} aria-label={first}>
      <table className="w-full">
        <thead className="text-muted-foreground">
          <tr>
            <th scope="col" className="py-1.5 pr-4 text-left font-medium">
              {first}
            </th>
            <th scope="col" className="px-2 text-right font-medium">
              {say('forecast.count')}
            </th>
            <th scope="col" className="px-2 text-right font-medium">
              {say('forecast.amount', { currency })}
            </th>
            <th scope="col" className="px-2 text-right font-medium">
              {say('forecast.weighted', { currency })}
            </th>
            <th scope="col" className="px-2 text-left font-medium max-sm:hidden">
              {say('forecast.by_currency')}
            </th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}

function Forecast({ owner }: { owner: Owner }) {
  const say = useWords();
  const { language } = useReader();
  const { data, error, isError, refetch } = useQuery(forecastQuery(owner));
  if (isError && !data) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Skeleton className="h-40 rounded-md" />;
  }
  if (data.months.length === 0) {
    return <EmptyState icon={<TrendingUp aria-hidden />} title={say('forecast.empty')} />;
  }
  const { currency, months, total } = data;
  return (
    <SumTable first={say('forecast.month')} currency={currency}>
      {months.map((sum) => (
        <SumRow
          key={sum.month ?? ''}
          name={sum.month ? monthName(sum.month, language) : say('forecast.undated')}
          sum={sum}
          currency={currency}
        />
      ))}
      <SumRow name={say('forecast.total')} sum={total} currency={currency} strong />
    </SumTable>
  );
}

function Tile({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1 rounded-lg border p-3">
      <dt className="text-muted-foreground">{label}</dt>
      <dd className="text-xl font-semibold tabular-nums">{children}</dd>
    </div>
  );
}

function Report({ owner, entity }: { owner: Owner; entity: EntityMeta | undefined }) {
  const say = useWords();
  const { language } = useReader();
  const { data, error, isError, refetch } = useQuery(reportQuery(owner, aYearAgo()));
  if (isError && !data) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Skeleton className="h-40 rounded-md" />;
  }
  const percent = (share: number | null) =>
    share === null
      ? '–'
      : new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(share);
  const label = (stage: string) => entity?.states.find(({ value }) => value === stage)?.label ?? stage;
  const { currency } = data;
  return (
    <>
      <h2 className="text-lg font-semibold">{say('report.title')}</h2>
      <dl className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
        <Tile label={say('report.win_rate')}>{percent(data.win_rate)}</Tile>
        <Tile label={say('report.cycle')}>
          {data.cycle_days === null ? '–' : say('report.days', { count: data.cycle_days })}
        </Tile>
        <Tile label={say('report.won')}>
          <Money amount={data.won.amount} currency={currency} />
        </Tile>
        <Tile label={say('report.lost')}>
          <Money amount={data.lost.amount} currency={currency} />
        </Tile>
      </dl>
      <h3 className="font-semibold">{say('report.conversion')}</h3>
      <ul className="grid gap-2 sm:grid-cols-2">
        {data.conversion.map((step) => (
          <li key={step.from} className="flex flex-col gap-1 rounded-md border p-2.5">
            <span className="flex justify-between gap-2">
              <span>
                {label(step.from)} → {label(step.to)}
              </span>
              <span className="font-semibold tabular-nums">{percent(step.rate)}</span>
            </span>
            <span aria-hidden className="h-1.5 overflow-hidden rounded-full bg-hover">
              <span className="block h-full bg-accent" style={{ width: `${(step.rate ?? 0) * 100}%` }} />
            </span>
            <span className="text-muted-foreground">
              {say('report.conversion_of', { moved: step.moved, entered: step.entered })}
            </span>
          </li>
        ))}
      </ul>
      {data.owners.length > 0 && (
        <SumTable first={say('report.owners')} currency={currency}>
          {data.owners.map((sum) => (
            <SumRow
              key={sum.owner ?? ''}
              name={sum.name || say('report.nobody')}
              sum={sum}
              currency={currency}
            />
          ))}
        </SumTable>
      )}
    </>
  );
}

export function ForecastPage() {
  const say = useWords();
  const [owner, setOwner] = useState<Owner>(undefined);
  const { data: entity } = useQuery(entityQuery('deal'));
  return (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-5xl flex-col gap-6 p-4 sm:p-6">
        <header className="flex flex-wrap items-center gap-2">
          <h1 className="text-xl font-semibold">{say('forecast.title')}</h1>
          <Whose
            mine={owner === 'me'}
            words={[say('board.mine'), say('board.everyone')]}
            label={say('forecast.title')}
            onChange={(mine) => setOwner(mine ? 'me' : undefined)}
          />
        </header>
        <Forecast owner={owner} />
        <Report owner={owner} entity={entity} />
      </div>
    </div>
  );
}
