import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Bell, Briefcase, Check, CheckCheck, Info, MessageCircle, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { appMetaQuery } from '@/api/meta';
import {
  markAllRead,
  markRead,
  type NotificationData,
  notificationKeys,
  notificationsQuery,
  type Shown,
} from '@/api/notifications';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { failed } from '@/feedback/toasts';
import { useNow, useReader } from '@/reader/context';
import { formatDate, formatDateTime, formatRelative } from '@/reader/format';
import { dayOf } from '@/reader/zone';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { EmptyState } from '@/ui/empty-state';
import { Skeleton } from '@/ui/skeleton';

const ICONS = { system: Info, business: Briefcase, social: MessageCircle, alert: TriangleAlert };

const SHOWN: Shown[] = ['all', 'unread'];

/** In the order of the list, which is by time. */
function byDay(items: NotificationData[], timeZone: string): Map<string, NotificationData[]> {
  const days = new Map<string, NotificationData[]>();
  for (const item of items) {
    const day = dayOf(item.created_at, timeZone);
    days.set(day, [...(days.get(day) ?? []), item]);
  }
  return days;
}

interface ItemProps {
  item: NotificationData;
  /** Where the record it is about is found; absent when it is about none, or of nothing the person sees. */
  collection: string | undefined;
  onRead: () => void;
  onLeave: () => void;
}

function Item({ item, collection, onRead, onLeave }: ItemProps) {
  const { t } = useTranslation();
  const { language, timeZone } = useReader();
  const now = useNow();
  const Icon = ICONS[item.kind];
  const unread = item.read_at === null;
  const text = (
    <>
      <span className="flex items-baseline gap-2">
        <span className={cn('min-w-0 flex-1 break-words', unread && 'font-semibold')}>{item.title}</span>
        <time
          dateTime={item.created_at}
          title={formatDateTime(item.created_at, language, timeZone)}
          className="shrink-0 text-xs text-muted-foreground"
        >
          {formatRelative(item.created_at, now, language, timeZone)}
        </time>
      </span>
      {item.message && (
        <span className="line-clamp-3 break-words whitespace-pre-line text-muted-foreground">
          {item.message}
        </span>
      )}
    </>
  );
  return (
    <li className="flex items-start gap-2.5 border-b px-3 py-2.5 last:border-b-0 hover:bg-hover">
      <Icon
        aria-hidden
        className={cn(
          'mt-0.5 size-4 shrink-0',
          item.kind === 'alert' ? 'text-danger' : 'text-muted-foreground',
        )}
      />
      <div className="min-w-0 flex-1">
        {unread && <span className="sr-only">{t('notifications.is_unread')}</span>}
        {item.about && collection ? (
          <Link
            to="/r/$collection/$id"
            params={{ collection, id: item.about.id }}
            className="block"
            onClick={() => {
              if (unread) {
                onRead();
              }
              onLeave();
            }}
          >
            {text}
          </Link>
        ) : (
          text
        )}
      </div>
      {unread && (
        <Button
          variant="ghost"
          size="icon"
          className="-my-1 pointer-coarse:size-11"
          aria-label={t('notifications.mark_read', { title: item.title })}
          onClick={onRead}
        >
          <Check aria-hidden />
        </Button>
      )}
    </li>
  );
}

interface PanelProps {
  unread: number;
  onLeave: () => void;
}

export function Panel({ unread, onLeave }: PanelProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { language, timeZone } = useReader();
  const [shown, setShown] = useState<Shown>('all');
  const { data: app } = useQuery(appMetaQuery);
  const list = useInfiniteQuery(notificationsQuery(shown));
  const said = {
    onSuccess: () => client.invalidateQueries({ queryKey: notificationKeys }),
    onError: (problem: Error) => failed(t('notifications.not_marked'), problemText(problem, t)),
  };
  const one = useMutation({ mutationFn: markRead, ...said });
  const all = useMutation({ mutationFn: markAllRead, ...said });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const days = byDay(items, timeZone);
  const collectionOf = (entity: string | undefined) =>
    app?.entities.find(({ name }) => name === entity)?.collection;
  return (
    <section aria-labelledby="notifications">
      <header className="sticky top-0 z-10 border-b bg-raised px-3 pt-2 pb-2">
        <div className="flex items-center gap-2">
          <h2 id="notifications" className="flex-1 font-semibold">
            {t('notifications.title')}
          </h2>
          <Button variant="ghost" disabled={unread === 0 || all.isPending} onClick={() => all.mutate()}>
            <CheckCheck aria-hidden /> {t('notifications.mark_all')}
          </Button>
        </div>
        <fieldset className="mt-1 flex gap-1">
          <legend className="sr-only">{t('notifications.show')}</legend>
          {SHOWN.map((value) => (
            <Button
              key={value}
              variant={shown === value ? 'outline' : 'ghost'}
              aria-pressed={shown === value}
              onClick={() => setShown(value)}
            >
              {t(`notifications.${value}`)}
            </Button>
          ))}
        </fieldset>
      </header>
      {list.isError && !list.data && <ProblemState error={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <Skeleton className="m-3 h-24" />}
      {list.data && items.length === 0 && (
        <EmptyState icon={<Bell aria-hidden />} title={t(`notifications.none_${shown}`)} />
      )}
      {[...days].map(([day, of]) => (
        <section key={day} aria-labelledby={`notifications-${day}`}>
          <h3
            id={`notifications-${day}`}
            className="bg-surface px-3 py-1 text-xs font-medium text-muted-foreground"
          >
            {formatDate(day, language)}
          </h3>
          <ul>
            {of.map((item) => (
              <Item
                key={item.id}
                item={item}
                collection={collectionOf(item.about?.entity)}
                onRead={() => one.mutate(item.id)}
                onLeave={onLeave}
              />
            ))}
          </ul>
        </section>
      ))}
      {list.hasNextPage && (
        <Button
          variant="ghost"
          className="w-full"
          disabled={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('notifications.more')}
        </Button>
      )}
    </section>
  );
}
