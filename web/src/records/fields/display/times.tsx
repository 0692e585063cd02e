import { useNow, useReader } from '@/reader/context';
import { formatDate, formatDateTime, formatRelative } from '@/reader/format';
import type { DisplayProps } from '../contract';

export function DateDisplay({ value }: DisplayProps<'date'>) {
  const { language } = useReader();
  return (
    <time dateTime={value} className="truncate">
      {formatDate(value, language)}
    </time>
  );
}

/** In a line how long ago, with the exact moment on hover; in a block both. */
export function DatetimeDisplay({ value, variant }: DisplayProps<'datetime'>) {
  const { language, timeZone } = useReader();
  const now = useNow();
  const exact = formatDateTime(value, language, timeZone);
  const relative = formatRelative(value, now, language, timeZone);
  if (variant === 'line') {
    return (
      <time dateTime={value} title={exact} className="truncate">
        {relative}
      </time>
    );
  }
  return (
    <time dateTime={value}>
      {exact} <span className="text-muted-foreground">({relative})</span>
    </time>
  );
}
