import type { ReactNode } from 'react';
import { cn } from './cn';

export type BadgeColor = 'gray' | 'blue' | 'cyan' | 'green' | 'amber' | 'orange' | 'red' | 'violet' | 'pink';

interface BadgeProps {
  color?: BadgeColor | null;
  /** A dot beside the text makes states easy to tell apart when scanning. */
  dot?: boolean;
  /** A small icon in place of the dot, where the shape says something too. */
  mark?: ReactNode;
  className?: string;
  children: ReactNode;
}

export function Badge({ color, dot = false, mark, className, children }: BadgeProps) {
  const name = color ?? 'gray';
  return (
    <span
      className={cn(
        'inline-flex h-5 max-w-full items-center gap-1 rounded-sm px-1.5 text-xs font-medium whitespace-nowrap',
        className,
      )}
      style={{ backgroundColor: `hsl(var(--${name}-surface))`, color: `hsl(var(--${name}-text))` }}
    >
      {mark}
      {dot && (
        <span
          aria-hidden
          className="size-1.5 shrink-0 rounded-full"
          style={{ backgroundColor: `hsl(var(--${name}-dot))` }}
        />
      )}
      <span className="truncate">{children}</span>
    </span>
  );
}
