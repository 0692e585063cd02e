/** The course of one indicator: values on their threshold bands, target, control limits, what comes next. */
import { AxisBottom, AxisLeft } from '@visx/axis';
import { Group } from '@visx/group';
import { scaleLinear, scalePoint } from '@visx/scale';
import { LinePath } from '@visx/shape';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { useWidth } from '@/reader/measure';
import { figure } from '../figure';
import type { Chart, Point } from '../figures';
import { bandsOf, type Colour, places, stretch } from '../judge';
import { periodName, yearBefore } from '../periods';
import { DOT, FILL } from './Sparkline';

export interface Layers {
  bands: boolean;
  control: boolean;
  year: boolean;
  forecast: boolean;
}

interface KpiChartProps {
  chart: Chart;
  layers: Layers;
  label: string;
}

const HEIGHT = 280;
const MARGIN = { top: 12, right: 32, bottom: 28, left: 64 };
const MUTED = 'hsl(var(--muted-foreground))';
const INK = 'hsl(var(--foreground))';
const ACCENT = 'hsl(var(--accent))';

/** Shapes differ too: a circle, a triangle, a square. */
function Dot({ x, y, status }: { x: number; y: number; status: Colour | null }) {
  const fill = status ? DOT[status] : 'hsl(var(--gray-dot))';
  const edge = { fill, stroke: 'hsl(var(--background))', strokeWidth: 1 };
  switch (status) {
    case 'RED':
      return <rect x={x - 4} y={y - 4} width={8} height={8} {...edge} />;
    case 'ORANGE':
      return <path d={`M${x},${y - 5}L${x + 5},${y + 4}L${x - 5},${y + 4}Z`} {...edge} />;
    default:
      return <circle cx={x} cy={y} r={4} {...edge} />;
  }
}

function marks(text: { anchor?: 'end' | 'middle' } = {}) {
  return { fill: MUTED, fontSize: 11, fontFamily: 'inherit', textAnchor: text.anchor } as const;
}

/** The values a year before, each at the place of the period it is compared with. */
function lastYear(points: Point[], frequency: string): { period_start: string; value: number }[] {
  const known = new Map(points.map((point) => [point.period_start, point.value]));
  return points.flatMap(({ period_start }) => {
    const value = known.get(yearBefore(frequency, period_start) ?? '');
    return value === undefined ? [] : [{ period_start, value }];
  });
}

export function KpiChart({ chart, layers, label }: KpiChartProps) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const [box, measured] = useWidth<HTMLDivElement>();
  const width = Math.max(measured ?? 640, 280);
  const { points, frequency, direction, decimals } = chart;
  const control = layers.control ? chart.control : null;
  const forecast = layers.forecast ? chart.forecast : null;
  const year = layers.year ? lastYear(points, frequency) : [];
  const latest = points.at(-1);
  const span = stretch([
    ...points.map(({ value }) => value),
    ...year.map(({ value }) => value),
    ...(layers.bands && latest ? places(direction, latest.thresholds, latest.target) : []),
    latest?.target,
    control?.lower,
    control?.upper,
    forecast?.lower,
    forecast?.upper,
  ]);
  const starts = points.map(({ period_start }) => period_start);
  const next = forecast?.period_start;
  const x = scalePoint({
    domain: next ? [...starts, next] : starts,
    range: [0, width - MARGIN.left - MARGIN.right],
    padding: 0.5,
  });
  const inner = HEIGHT - MARGIN.top - MARGIN.bottom;
  const y = scaleLinear({ domain: [...span], range: [inner, 0] });
  const at = (start: string) => x(start) ?? 0;
  const half = x.step() / 2;
  const every = Math.ceil(x.domain().length / Math.max(Math.floor(width / 84), 2));
  const ticks = x.domain().filter((_start, place) => (x.domain().length - 1 - place) % every === 0);
  const signals = new Set(control?.signals.map(({ period_start }) => period_start));
  return (
    <div ref={box} className="w-full print:[print-color-adjust:exact]">
      <svg role="img" aria-label={label} viewBox={`0 0 ${width} ${HEIGHT}`} className="h-auto w-full">
        <Group left={MARGIN.left} top={MARGIN.top}>
          {layers.bands &&
            points.flatMap((point) =>
              bandsOf(direction, point.thresholds, point.target, span).map(({ from, to, colour }) => (
                <rect
                  key={`${point.period_start}${colour}${from}`}
                  x={at(point.period_start) - half}
                  width={half * 2 + 0.5}
                  y={y(to)}
                  height={Math.max(y(from) - y(to), 0)}
                  fill={FILL[colour]}
                />
              )),
            )}
          {control && (
            <Group>
              {(['lower', 'mean', 'upper'] as const).map((limit) => (
                <line
                  key={limit}
                  x1={0}
                  x2={width - MARGIN.left - MARGIN.right}
                  y1={y(control[limit])}
                  y2={y(control[limit])}
                  stroke={MUTED}
                  strokeDasharray={limit === 'mean' ? undefined : '2 4'}
                />
              ))}
            </Group>
          )}
          <LinePath
            data={points.filter(({ target }) => target !== null)}
            x={({ period_start }) => at(period_start)}
            y={({ target }) => y(target ?? 0)}
            stroke={ACCENT}
            strokeWidth={1.5}
            strokeDasharray="6 4"
          />
          <LinePath
            data={year}
            x={({ period_start }) => at(period_start)}
            y={({ value }) => y(value)}
            stroke={MUTED}
            strokeWidth={1.5}
            strokeOpacity={0.7}
          />
          <LinePath
            data={points}
            x={({ period_start }) => at(period_start)}
            y={({ value }) => y(value)}
            stroke={INK}
            strokeWidth={1.75}
          />
          {forecast && next && latest && (
            <Group>
              <line
                x1={at(latest.period_start)}
                x2={at(next)}
                y1={y(latest.value)}
                y2={y(forecast.value)}
                stroke={ACCENT}
                strokeWidth={1.75}
                strokeDasharray="3 3"
              />
              <line
                x1={at(next)}
                x2={at(next)}
                y1={y(forecast.lower)}
                y2={y(forecast.upper)}
                stroke={ACCENT}
                strokeWidth={6}
                strokeOpacity={0.3}
              />
              <circle
                cx={at(next)}
                cy={y(forecast.value)}
                r={4}
                fill="hsl(var(--background))"
                stroke={ACCENT}
                strokeWidth={2}
              />
            </Group>
          )}
          {points.map((point) => (
            <g key={point.period_start}>
              {signals.has(point.period_start) && (
                <circle
                  cx={at(point.period_start)}
                  cy={y(point.value)}
                  r={9}
                  fill="none"
                  stroke={INK}
                  strokeWidth={1.5}
                />
              )}
              <Dot x={at(point.period_start)} y={y(point.value)} status={point.status} />
              <title>
                {`${periodName(frequency, point.period_start, language, t)} : ${figure(point.value, language, chart)}`}
              </title>
            </g>
          ))}
          <AxisBottom
            top={inner}
            scale={x}
            tickValues={ticks}
            tickFormat={(start) => periodName(frequency, String(start), language, t)}
            stroke={MUTED}
            tickStroke={MUTED}
            tickLabelProps={() => marks({ anchor: 'middle' })}
          />
          <AxisLeft
            scale={y}
            numTicks={5}
            hideAxisLine
            tickStroke={MUTED}
            tickFormat={(value) =>
              figure(Number(value), language, { decimals: Math.min(decimals, 2), unit: chart.unit })
            }
            tickLabelProps={() => ({ ...marks({ anchor: 'end' }), dx: -4, dy: 4 })}
          />
        </Group>
      </svg>
    </div>
  );
}
