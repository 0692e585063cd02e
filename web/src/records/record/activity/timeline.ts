/** Comments and changes as one story, the newest first. */
import type { CommentData, HistoryEntry, Labels } from '@/api/types';

export type TimelineItem =
  | { kind: 'comment'; at: string; comment: CommentData }
  | { kind: 'change'; at: string; entry: HistoryEntry };

export interface Loaded<T> {
  items: T[];
  /** There are older ones that were not read yet. */
  more: boolean;
}

function oldest<T>({ items, more }: Loaded<T>, at: (item: T) => string): string | null {
  const last = items.at(-1);
  return more && last ? at(last) : null;
}

/**
 * Puts the two streams together. Each is read page by page, so nothing older than the end of an unfinished
 * one is shown: what belongs in between may not be there yet.
 */
export function merged(comments: Loaded<CommentData>, history: Loaded<HistoryEntry>): TimelineItem[] {
  const limits = [oldest(comments, ({ created_at }) => created_at), oldest(history, ({ at }) => at)].filter(
    (limit) => limit !== null,
  );
  const horizon = limits.length > 0 ? Math.max(...limits.map(Date.parse)) : Number.NEGATIVE_INFINITY;
  const items: TimelineItem[] = [
    ...comments.items.map((comment): TimelineItem => ({ kind: 'comment', at: comment.created_at, comment })),
    ...history.items.map((entry): TimelineItem => ({ kind: 'change', at: entry.at, entry })),
  ];
  return items
    .filter(({ at }) => Date.parse(at) >= horizon)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

/** Which of the two streams must be read further to show older items. */
export function behind(
  comments: Loaded<CommentData>,
  history: Loaded<HistoryEntry>,
): ('comments' | 'history')[] {
  const a = oldest(comments, ({ created_at }) => created_at);
  const b = oldest(history, ({ at }) => at);
  if (a === null || b === null) {
    return a !== null ? ['comments'] : b !== null ? ['history'] : [];
  }
  return Date.parse(a) > Date.parse(b)
    ? ['comments']
    : Date.parse(a) < Date.parse(b)
      ? ['history']
      : ['comments', 'history'];
}

export function labelsOf(pages: { labels?: Labels }[] | undefined): Labels {
  return Object.assign({}, ...(pages ?? []).map(({ labels }) => labels ?? {}));
}
