/** Every indicator by period: a colour and its letter in each cell. One table for each frequency. */
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { indicator } from '../drill';
import { figure } from '../figure';
import type { Tile } from '../figures';
import { FREQUENCIES, type Frequency, periodName } from '../periods';
import { Scroller } from '../Scroller';
import { STATUS } from '../Status';

function Cell({ tile, start }: { tile: Tile; start: string }) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const value = tile.values.find(({ period_start }) => period_start === start);
  if (!value) {
    return (
      <td className="border p-0 text-center text-muted-foreground">
        <span aria-hidden>·</span>
        <span className="sr-only">{t('status.NO_DATA')}</span>
      </td>
    );
  }
  const { color } = STATUS[value.status ?? 'NO_DATA'];
  const word = t(`status.${value.status ?? 'NO_DATA'}`);
  return (
    <td
      className="border p-0 print:[print-color-adjust:exact]"
      style={{ backgroundColor: `hsl(var(--${color}-surface))`, color: `hsl(var(--${color}-text))` }}
      title={`${word} · ${figure(value.value, language, tile)}`}
    >
      <span className="flex h-7 items-center justify-between gap-1.5 px-1.5 text-xs whitespace-nowrap tabular-nums">
        <span aria-hidden className="font-semibold">
          {t(`letter.${value.status ?? 'NO_DATA'}`)}
        </span>
        <span>{figure(value.value, language, { decimals: tile.decimals })}</span>
        <span className="sr-only">{word}</span>
      </span>
    </td>
  );
}

function Table({ frequency, tiles }: { frequency: Frequency; tiles: Tile[] }) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const starts = [...new Set(tiles.flatMap(({ values }) => values.map(({ period_start }) => period_start)))]
    .sort()
    .slice(-24);
  const name = t(`frequency.${frequency}`);
  return (
    <Scroller label={t('heat.of', { name })} className="rounded-md">
      <table className="border-collapse">
        <caption className="pb-1 text-left text-xs text-muted-foreground">{name}</caption>
        <thead>
          <tr>
            <th scope="col" className="sticky left-0 z-10 bg-background px-2 py-1 text-left font-medium">
              {t('indicator')}
            </th>
            {starts.map((start) => (
              <th
                key={start}
                scope="col"
                className="px-1.5 py-1 text-xs font-normal whitespace-nowrap text-muted-foreground"
              >
                {periodName(frequency, start, language, t)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tiles.map((tile) => (
            <tr key={tile.kpi_id}>
              <th
                scope="row"
                className="sticky left-0 z-10 max-w-40 min-w-28 border bg-background px-2 text-left font-medium sm:max-w-64"
              >
                <Link
                  {...indicator(tile.kpi_id)}
                  className="block truncate hover:underline"
                  title={tile.name}
                >
                  {tile.name}
                </Link>
              </th>
              {starts.map((start) => (
                <Cell key={start} tile={tile} start={start} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

export function HeatMap({ tiles }: { tiles: Tile[] }) {
  const { t } = useTranslation('kpi');
  const measured = tiles.filter(({ values }) => values.length > 0);
  if (measured.length === 0) {
    return null;
  }
  return (
    <section aria-labelledby="heat-map" className="flex flex-col gap-2">
      <h2 id="heat-map" className="font-semibold">
        {t('heat.title')}
      </h2>
      {FREQUENCIES.map((frequency) => {
        const rows = measured.filter((tile) => tile.frequency === frequency);
        return rows.length > 0 && <Table key={frequency} frequency={frequency} tiles={rows} />;
      })}
    </section>
  );
}
