import { Cog } from 'lucide-react';
import { useNow, useReader } from '@/reader/context';
import { formatDateTime, formatRelative } from '@/reader/format';
import { cn } from '@/ui/cn';
import { Tooltip } from '@/ui/tooltip';

function initials(name: string): string {
  const parts = name.split(/[\s-]+/).filter((part) => part !== '');
  return `${parts[0]?.[0] ?? ''}${parts.length > 1 ? (parts.at(-1)?.[0] ?? '') : ''}`.toUpperCase();
}

/** Nobody by name is the machinery: a rule, an import. */
export function Avatar({ name, className }: { name: string | null; className?: string }) {
  return (
    <span
      aria-hidden
      className={cn(
        'grid size-6 shrink-0 place-items-center rounded-full bg-hover text-[0.625rem] font-semibold text-muted-foreground',
        className,
      )}
    >
      {name === null ? <Cog className="size-3.5" /> : initials(name)}
    </span>
  );
}

/** How long ago; exactly when, for the mouse and for the keyboard. */
export function Moment({ at }: { at: string }) {
  const { language, timeZone } = useReader();
  const now = useNow();
  const exact = formatDateTime(at, language, timeZone);
  return (
    <Tooltip text={exact}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the exact time is shown on focus too */}
      <time dateTime={at} tabIndex={0} className="shrink-0 rounded-sm text-xs text-muted-foreground">
        {formatRelative(at, now, language, timeZone)}
        <span className="sr-only"> ({exact})</span>
      </time>
    </Tooltip>
  );
}
