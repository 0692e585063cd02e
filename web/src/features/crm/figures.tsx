/** Sums as they are read: what comes in several currencies stays in several. */
import type { Sum } from '@/api/crm';
import { useReader } from '@/reader/context';
import { formatMoney } from '@/reader/format';

interface MoneyProps {
  amount: string;
  currency: string;
}

/** An amount as it stands on a card or in a table. */
export function Money({ amount, currency }: MoneyProps) {
  const { language } = useReader();
  return <span className="tabular-nums whitespace-nowrap">{formatMoney(amount, currency, language, 2)}</span>;
}

/** Each currency by itself: euros and dollars are not added up. */
export function Amounts({ sum }: { sum: Sum }) {
  return (
    <span className="flex flex-wrap gap-x-2">
      {sum.amounts.map(({ currency, amount }) => (
        <Money key={currency} currency={currency} amount={amount} />
      ))}
    </span>
  );
}
