/** What the customer relations serve besides their records: figures over the deals one sees. */
import { queryOptions } from '@tanstack/react-query';
import { collections } from './client';
import { decimalText } from './json';

/** What some deals come to; amounts are exact texts. */
export interface Sum {
  count: number;
  amounts: { currency: string; amount: string }[];
  amount: string;
  weighted: string;
}

interface RawSum {
  count: number;
  amounts: { currency: string; amount: unknown }[];
  amount: unknown;
  weighted: unknown;
}

function decoded<S extends RawSum>(raw: S): Omit<S, keyof RawSum> & Sum {
  const exact = (value: unknown) => decimalText(value) ?? '0';
  return {
    ...raw,
    amount: exact(raw.amount),
    weighted: exact(raw.weighted),
    amounts: raw.amounts.map(({ currency, amount }) => ({ currency, amount: exact(amount) })),
  };
}

export interface BoardColumn extends Sum {
  stage: string;
  rotting: number;
  rotting_days: number | null;
}

/** Whose deals: everybody's that one sees, or one's own. */
export type Owner = 'me' | undefined;

/** Under the key of deals, so that what changes them has these read again. */
const keys = (what: string, owner: Owner) => ['records', 'deal', 'crm', what, owner ?? null] as const;

export function boardQuery(owner: Owner) {
  return queryOptions({
    queryKey: keys('board', owner),
    queryFn: async ({ signal }) => {
      type Raw = RawSum & Pick<BoardColumn, 'stage' | 'rotting' | 'rotting_days'>;
      const raw = await collections.get<{
        currency: string;
        pause_if_next_activity: boolean;
        columns: Raw[];
      }>('/crm/board', { signal, query: { owner } });
      return { ...raw, columns: raw.columns.map(decoded) };
    },
  });
}

export function forecastQuery(owner: Owner) {
  return queryOptions({
    queryKey: keys('forecast', owner),
    queryFn: async ({ signal }) => {
      const raw = await collections.get<{
        currency: string;
        months: (RawSum & { month: string | null })[];
        total: RawSum;
        won: RawSum;
      }>('/crm/forecast', { signal, query: { owner } });
      return { ...raw, months: raw.months.map(decoded), total: decoded(raw.total), won: decoded(raw.won) };
    },
  });
}

export interface Conversion {
  from: string;
  to: string;
  entered: number;
  moved: number;
  rate: number | null;
}

export function reportQuery(owner: Owner, from: string) {
  return queryOptions({
    queryKey: [...keys('report', owner), from],
    queryFn: async ({ signal }) => {
      const raw = await collections.get<{
        currency: string;
        won: RawSum;
        lost: RawSum;
        win_rate: number | null;
        cycle_days: number | null;
        conversion: Conversion[];
        owners: (RawSum & { owner: string | null; name: string })[];
      }>('/crm/report', { signal, query: { owner, from } });
      return {
        ...raw,
        won: decoded(raw.won),
        lost: decoded(raw.lost),
        owners: raw.owners.map(decoded),
      };
    },
  });
}
