import { useQuery } from '@tanstack/react-query';
import { Bell as BellIcon } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { unreadQuery } from '@/api/notifications';
import { Button } from '@/ui/button';
import { Popover, PopoverContent, PopoverTrigger } from '@/ui/popover';
import { Skeleton } from '@/ui/skeleton';

const Panel = lazy(() => import('./Panel').then(({ Panel }) => ({ default: Panel })));

/** More than this is many. */
const MOST = 99;

/** How many notifications the person has not read, as they come, and the way to them. */
export function Bell() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const { data: count = 0 } = useQuery(unreadQuery);
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger asChild>
        <Button
          variant="ghost"
          size="icon"
          className="relative pointer-coarse:size-11"
          aria-label={count > 0 ? t('notifications.bell', { count }) : t('notifications.title')}
        >
          <BellIcon aria-hidden />
          {count > 0 && (
            <span
              aria-hidden
              className="absolute -top-0.5 -right-1 min-w-4 rounded-full bg-danger px-1 text-center text-[0.625rem] leading-4 font-semibold text-danger-foreground tabular-nums"
            >
              {count > MOST ? `${MOST}+` : count}
            </span>
          )}
        </Button>
      </PopoverTrigger>
      {/* Told to whoever does not see the number change. */}
      <span role="status" className="sr-only">
        {count > 0 ? t('notifications.bell', { count }) : ''}
      </span>
      <PopoverContent align="end" className="w-96 p-0" aria-label={t('notifications.title')}>
        <Suspense fallback={<Skeleton className="m-3 h-40" />}>
          <Panel unread={count} onLeave={() => setOpen(false)} />
        </Suspense>
      </PopoverContent>
    </Popover>
  );
}
