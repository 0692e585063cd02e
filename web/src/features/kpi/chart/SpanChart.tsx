/** What an indicator adds up to by month, quarter or year. */
import { AxisBottom, AxisLeft } from '@visx/axis';
import { Group } from '@visx/group';
import { scaleBand, scaleLinear } from '@visx/scale';
import { Bar } from '@visx/shape';
import { useTranslation } from 'react-i18next';
import { useReader } from '@/reader/context';
import { useWidth } from '@/reader/measure';
import { figure } from '../figure';
import type { Chart, Span } from '../figures';
import { periodName } from '../periods';
import { DOT } from './Sparkline';

const HEIGHT = 280;
const MARGIN = { top: 12, right: 32, bottom: 28, left: 64 };
const MUTED = 'hsl(var(--muted-foreground))';

interface SpanChartProps {
  chart: Chart;
  by: Span;
  label: string;
}

export function SpanChart({ chart, by, label }: SpanChartProps) {
  const { t } = useTranslation('kpi');
  const { language } = useReader();
  const [box, measured] = useWidth<HTMLDivElement>();
  const width = Math.max(measured ?? 640, 280);
  const spans = (chart.spans ?? []).flatMap(({ from, value, status }) =>
    from === null || value === null ? [] : [{ from, value, status }],
  );
  const numbers = spans.map(({ value }) => value);
  const inner = HEIGHT - MARGIN.top - MARGIN.bottom;
  const room = width - MARGIN.left - MARGIN.right;
  const x = scaleBand({ domain: spans.map(({ from }) => from), range: [0, room], padding: 0.3 });
  // A bar tells by its length: its axis begins at nought.
  const y = scaleLinear({
    domain: [Math.min(0, ...numbers), Math.max(0, ...numbers) || 1],
    range: [inner, 0],
    nice: true,
  });
  const every = Math.ceil(spans.length / Math.max(Math.floor(width / 84), 2));
  const text = { fill: MUTED, fontSize: 11, fontFamily: 'inherit' } as const;
  return (
    <div ref={box} className="w-full print:[print-color-adjust:exact]">
      <svg role="img" aria-label={label} viewBox={`0 0 ${width} ${HEIGHT}`} className="h-auto w-full">
        <Group left={MARGIN.left} top={MARGIN.top}>
          {spans.map(({ from, value, status }) => (
            <Bar
              key={from}
              x={x(from)}
              width={x.bandwidth()}
              y={Math.min(y(value), y(0))}
              height={Math.abs(y(value) - y(0))}
              fill={status ? DOT[status] : 'hsl(var(--gray-dot))'}
            />
          ))}
          <AxisBottom
            top={inner}
            scale={x}
            tickValues={x.domain().filter((_from, place) => place % every === 0)}
            tickFormat={(from) => periodName(by, String(from), language, t)}
            stroke={MUTED}
            tickStroke={MUTED}
            tickLabelProps={() => ({ ...text, textAnchor: 'middle' })}
          />
          <AxisLeft
            scale={y}
            numTicks={5}
            hideAxisLine
            tickStroke={MUTED}
            tickFormat={(value) =>
              figure(Number(value), language, { decimals: Math.min(chart.decimals, 2), unit: chart.unit })
            }
            tickLabelProps={() => ({ ...text, textAnchor: 'end', dx: -4, dy: 4 })}
          />
        </Group>
      </svg>
    </div>
  );
}
