/** Everything that happened to a record: what was said and what was changed, as one story. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { memo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { commentsQuery, historyQuery } from '@/api/activity';
import { ProblemState } from '@/feedback/ProblemState';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';
import { useRecordSession } from '../session';
import { ChangeItem } from './ChangeItem';
import { CommentItem } from './CommentItem';
import { Composer } from './Composer';
import { behind, type Loaded, labelsOf, merged } from './timeline';

type Filter = 'all' | 'comments' | 'changes';

function useStreams(filter: Filter) {
  const { entity, page } = useRecordSession();
  const { id } = page.record;
  const withComments = entity.comments && filter !== 'changes';
  const withHistory = entity.kind === 'record' && filter !== 'comments';
  const comments = useInfiniteQuery({ ...commentsQuery(entity, id), enabled: withComments });
  const history = useInfiniteQuery({ ...historyQuery(entity, id), enabled: withHistory });
  const loaded = {
    comments: {
      items: withComments ? (comments.data?.pages.flatMap(({ items }) => items) ?? []) : [],
      more: withComments && comments.hasNextPage,
    } satisfies Loaded<unknown>,
    history: {
      items: withHistory
        ? (history.data?.pages.flatMap(({ items }) => items) ?? []).filter(
            // What was refused changed nothing: it is for those who look for changes.
            ({ result }) => filter === 'changes' || result === 'ok',
          )
        : [],
      more: withHistory && history.hasNextPage,
    } satisfies Loaded<unknown>,
  };
  const streams = { comments, history };
  const failed = [withComments && comments, withHistory && history].find(
    (query) => query !== false && query.isError && !query.data,
  );
  return {
    items: merged(loaded.comments, loaded.history),
    labels: {
      ...page.labels,
      ...labelsOf(history.data?.pages),
      ...labelsOf(comments.data?.pages),
    },
    waiting: (withComments && comments.isPending) || (withHistory && history.isPending),
    failed: failed || null,
    older: behind(loaded.comments, loaded.history).map((name) => streams[name]),
  };
}

export const Activity = memo(function Activity() {
  const { t } = useTranslation();
  const { entity, page, me } = useRecordSession();
  const [filter, setFilter] = useState<Filter>('all');
  const { items, labels, waiting, failed, older } = useStreams(filter);
  const filters: Filter[] = entity.comments ? ['all', 'comments', 'changes'] : [];
  const authorOf = (id: string | null = null) =>
    id === null ? null : id === me.id ? me.full_name : (labels[id] ?? page.labels[id] ?? null);
  return (
    <div className="flex flex-col gap-3">
      {entity.comments && <Composer />}
      {filters.length > 0 && (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
        <div role="group" aria-label={t('activity.filter')} className="flex gap-1 print:hidden">
          {filters.map((name) => (
            <Button
              key={name}
              variant="ghost"
              aria-pressed={filter === name}
              className="text-muted-foreground aria-pressed:bg-selected aria-pressed:text-foreground"
              onClick={() => setFilter(name)}
            >
              {t(`activity.${name}`)}
            </Button>
          ))}
        </div>
      )}
      {failed ? (
        <ProblemState error={failed.error} onRetry={() => void failed.refetch()} />
      ) : waiting ? (
        <div className="flex flex-col gap-3">
          <Skeleton className="h-16 rounded-md" />
          <Skeleton className="h-8 rounded-md" />
          <Skeleton className="h-8 rounded-md" />
        </div>
      ) : (
        <ol className="flex flex-col gap-3">
          {items.map((item) => (
            <li key={item.kind === 'comment' ? item.comment.id : item.entry.id}>
              {item.kind === 'comment' ? (
                <CommentItem comment={item.comment} author={authorOf(item.comment.created_by)} />
              ) : (
                <ChangeItem entry={item.entry} labels={labels} />
              )}
            </li>
          ))}
        </ol>
      )}
      {!waiting && !failed && items.length === 0 && (
        <p className="text-muted-foreground">
          {t(filter === 'comments' ? 'activity.no_comments' : 'activity.nothing')}
        </p>
      )}
      {older.length > 0 && !waiting && (
        <Button
          className="self-start"
          disabled={older.some((query) => query.isFetchingNextPage)}
          onClick={() => {
            for (const query of older) {
              void query.fetchNextPage();
            }
          }}
        >
          {t('activity.older')}
        </Button>
      )}
    </div>
  );
});
