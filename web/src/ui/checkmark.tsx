import { Check, Minus } from 'lucide-react';
import { cn } from './cn';

interface CheckmarkProps {
  checked: boolean | 'indeterminate';
  round?: boolean;
  className?: string;
}

/** How a ticked box looks, where something around it (a row, an option) is what one ticks. */
export function Checkmark({ checked, round = false, className }: CheckmarkProps) {
  const Mark = checked === 'indeterminate' ? Minus : Check;
  return (
    <span
      aria-hidden
      className={cn(
        'grid size-4 shrink-0 place-items-center border border-control bg-background text-accent-foreground pointer-coarse:size-5',
        round ? 'rounded-full' : 'rounded-sm',
        checked !== false && 'border-accent bg-accent',
        className,
      )}
    >
      {checked !== false && <Mark className="size-3" strokeWidth={3} />}
    </span>
  );
}
