/** What the chart says, in words: comparisons, control signals, what comes next and how far to trust it. */
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { figure } from '../figure';
import type { Chart } from '../figures';
import { periodName } from '../periods';
import { comparisons, signalsByRule } from './reading';

export function Reading({ chart }: { chart: Chart }) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const { control, forecast } = chart;
  const write = (value: number, signed = false) => figure(value, language, chart, signed);
  const name = (start: string) => periodName(chart.frequency, start, language, t);
  const signals = signalsByRule(chart);
  return (
    <section aria-labelledby="reading" className="flex flex-col gap-1.5">
      <h2 id="reading" className="font-semibold">
        {t('reading.title')}
      </h2>
      <ul className="flex list-disc flex-col gap-1 pl-5">
        {comparisons(chart).map(({ to, start, value, change, verdict }) => (
          <li key={to}>
            {t(`reading.${to}`, { period: name(start), value: write(value), change: write(change, true) })}
            {verdict && ` ${t(`reading.verdict.${verdict}`)}`}
          </li>
        ))}
        {control && (
          <li>
            {t('reading.control', {
              mean: write(control.mean),
              lower: write(control.lower),
              upper: write(control.upper),
            })}
            {!control.firm && ` ${t('reading.not_firm')}`}
          </li>
        )}
        {signals.map(({ rule, starts }) => (
          <li key={rule} className="font-medium">
            {t(`reading.rule_${rule}`, { periods: starts.slice(0, 4).map(name).join(', ') })}
          </li>
        ))}
        {control && signals.length === 0 && <li>{t('reading.no_signal')}</li>}
        {forecast && (
          <li>
            {t('reading.forecast', {
              period: forecast.period_start ? name(forecast.period_start) : '',
              value: write(forecast.value),
              lower: write(forecast.lower),
              upper: write(forecast.upper),
            })}
            {forecast.back_test_error !== null &&
              ` ${t('reading.back_test', { error: write(forecast.back_test_error) })}`}
          </li>
        )}
      </ul>
    </section>
  );
}
