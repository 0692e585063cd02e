/** What an indicator opens with: its course, what it says, and its values. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemState } from '@/feedback/ProblemState';
import { useReader } from '@/reader/context';
import { useRecordSession } from '@/records/record/session';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Checkbox } from '@/ui/checkbox';
import { EmptyState } from '@/ui/empty-state';
import { Skeleton } from '@/ui/skeleton';
import { KpiChart, type Layers } from '../chart/KpiChart';
import { SpanChart } from '../chart/SpanChart';
import { figure } from '../figure';
import { type Chart, chartQuery, type Span, useFreshFigures } from '../figures';
import { periodName } from '../periods';
import { StatusMark } from '../Status';
import { DataTable } from './DataTable';
import { Reading } from './Reading';
import { Values } from './Values';

const SPANS: (Span | null)[] = [null, 'month', 'quarter', 'year'];
const LAYERS = ['bands', 'control', 'year', 'forecast'] as const;

function Toolbar({
  by,
  onBy,
  layers,
  onLayers,
}: {
  by: Span | null;
  onBy: (by: Span | null) => void;
  layers: Layers;
  onLayers: (layers: Layers) => void;
}) {
  const { t } = useTranslation('kpi');
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 print:hidden">
      <fieldset className="flex flex-wrap gap-1">
        <legend className="sr-only">{t('chart.by')}</legend>
        {SPANS.map((span) => (
          <Button
            key={span ?? 'period'}
            variant="ghost"
            aria-pressed={by === span}
            className="aria-pressed:bg-selected"
            onClick={() => onBy(span)}
          >
            {t(`chart.span.${span ?? 'period'}`)}
          </Button>
        ))}
      </fieldset>
      {by === null && (
        <fieldset className="flex flex-wrap gap-x-3 gap-y-1">
          <legend className="sr-only">{t('chart.layers')}</legend>
          {LAYERS.map((layer) => (
            <div key={layer} className="flex items-center gap-1.5 pointer-coarse:min-h-11">
              <Checkbox
                id={`layer-${layer}`}
                checked={layers[layer]}
                onCheckedChange={(checked) => onLayers({ ...layers, [layer]: checked === true })}
              />
              <label htmlFor={`layer-${layer}`}>{t(`chart.layer.${layer}`)}</label>
            </div>
          ))}
        </fieldset>
      )}
    </div>
  );
}

function Latest({ chart }: { chart: Chart }) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const latest = chart.points.at(-1);
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      {latest && (
        <>
          <span className="text-2xl leading-8 font-semibold tabular-nums">
            {figure(latest.value, language, chart)}
          </span>
          <span className="text-muted-foreground">
            {periodName(chart.frequency, latest.period_start, language, t)}
          </span>
        </>
      )}
      <StatusMark status={latest?.status ?? 'NO_DATA'} />
      {chart.stale && <Badge color="amber">{t('tile.stale')}</Badge>}
      {!chart.is_active && <Badge>{t('chart.inactive')}</Badge>}
    </div>
  );
}

export function Indicator() {
  const { t } = useTranslation('kpi');
  const { page } = useRecordSession();
  const { id } = page.record;
  const [by, setBy] = useState<Span | null>(null);
  const [layers, setLayers] = useState<Layers>({ bands: true, control: false, year: true, forecast: true });
  useFreshFigures();
  const { data, error, isError, refetch } = useQuery({
    ...chartQuery(id, by),
    // The chart stays while another span is added up.
    placeholderData: (before) => before,
  });
  if (isError && !data) {
    return <ProblemState error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Skeleton className="h-64 rounded-md" />;
  }
  const label = t('chart.label', { name: data.name, count: data.points.length });
  const byWhat = data.spans === null ? null : by;
  return (
    <div className="flex flex-col gap-4">
      <section aria-label={t('chart.title')} className="flex flex-col gap-3">
        <Latest chart={data} />
        {data.points.length === 0 ? (
          <EmptyState title={t('chart.empty')}>{t('chart.empty_help')}</EmptyState>
        ) : (
          <>
            <Toolbar by={by} onBy={setBy} layers={layers} onLayers={setLayers} />
            {byWhat === null ? (
              <KpiChart chart={data} layers={layers} label={label} />
            ) : (
              <SpanChart chart={data} by={byWhat} label={label} />
            )}
            <Reading chart={data} />
            <DataTable chart={data} by={byWhat} />
          </>
        )}
      </section>
      <Values chart={data} />
    </div>
  );
}
