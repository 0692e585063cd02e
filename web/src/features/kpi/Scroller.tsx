/** A wide table is scrolled inside of itself, by the keyboard too; what is only spoken in it stays inside with it. */
import type { ReactNode } from 'react';
import { cn } from '@/ui/cn';

interface ScrollerProps {
  label: string;
  className?: string;
  children: ReactNode;
}

export function Scroller({ label, className, children }: ScrollerProps) {
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
      tabIndex={0}
      aria-label={label}
      className={cn('relative overflow-x-auto print:overflow-visible', className)}
    >
      {children}
    </section>
  );
}
