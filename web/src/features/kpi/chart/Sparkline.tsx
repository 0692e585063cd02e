/** The course of an indicator in a small space. What it shows is written beside it, so nobody hears it. */
import { scaleLinear } from '@visx/scale';
import { LinePath } from '@visx/shape';
import type { Thresholds } from '../figures';
import { bandsOf, type Colour, places, stretch } from '../judge';

const WIDTH = 200;
const HEIGHT = 44;

export const FILL: Record<Colour, string> = {
  GREEN: 'hsl(var(--green-surface))',
  ORANGE: 'hsl(var(--orange-surface))',
  RED: 'hsl(var(--red-surface))',
};

export const DOT: Record<Colour, string> = {
  GREEN: 'hsl(var(--green-dot))',
  ORANGE: 'hsl(var(--orange-dot))',
  RED: 'hsl(var(--red-dot))',
};

interface SparklineProps {
  values: { period_start: string; value: number; status: Colour | null }[];
  direction?: string;
  thresholds?: Thresholds;
  target?: number | null;
  className?: string;
}

export function Sparkline({ values, direction, thresholds, target = null, className }: SparklineProps) {
  const banded = direction !== undefined && thresholds !== undefined;
  const span = stretch([
    ...values.map(({ value }) => value),
    ...(banded ? places(direction, thresholds, target) : []),
  ]);
  const y = scaleLinear({ domain: [...span], range: [HEIGHT - 4, 4] });
  const x = scaleLinear({ domain: [0, Math.max(values.length - 1, 1)], range: [3, WIDTH - 3] });
  const last = values.at(-1);
  return (
    <svg
      aria-hidden
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className={className ?? 'h-11 w-full print:[print-color-adjust:exact]'}
    >
      {banded &&
        bandsOf(direction, thresholds, target, span).map(({ from, to, colour }) => (
          <rect
            key={`${colour}${from}`}
            width={WIDTH}
            y={to === span[1] ? 0 : y(to)}
            height={(from === span[0] ? HEIGHT : y(from)) - (to === span[1] ? 0 : y(to))}
            fill={FILL[colour]}
          />
        ))}
      <LinePath
        data={values}
        x={(_value, at) => x(at)}
        y={({ value }) => y(value)}
        stroke="hsl(var(--foreground))"
        strokeWidth={1.5}
        vectorEffect="non-scaling-stroke"
      />
      {last && (
        <line
          x1={x(values.length - 1)}
          x2={x(values.length - 1)}
          y1={y(last.value)}
          y2={y(last.value)}
          stroke={last.status ? DOT[last.status] : 'hsl(var(--foreground))'}
          strokeWidth={7}
          strokeLinecap="round"
          vectorEffect="non-scaling-stroke"
        />
      )}
    </svg>
  );
}
