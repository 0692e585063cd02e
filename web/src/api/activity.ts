/** What belongs to one record besides its fields: its conversation, its files, its history. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, collections } from './client';
import { recordKeys } from './records';
import type { CommentData, EntityMeta, FileData, HistoryEntry, Labels } from './types';

interface Page<T> {
  items: T[];
  labels?: Labels;
  next_cursor?: string | null;
}

function pathOf(entity: EntityMeta, id: string, part: 'comments' | 'files' | 'history'): string {
  return `/${entity.collection}/${encodeURIComponent(id)}/${part}`;
}

const LIMIT = 50;

function pages<T>(path: string, queryKey: readonly unknown[]) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam, signal }) =>
      collections.get<Page<T>>(path, { query: { limit: LIMIT, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? null,
  });
}

/**
 * Their keys begin as those of the entities `comment` and `file` do, and that of the history as its
 * record's: what the stream of changes says about these makes them old.
 */
export const activityKeys = {
  comments: (entity: string, id: string) => [...recordKeys.all, 'comment', 'of', entity, id] as const,
  files: (entity: string, id: string) => [...recordKeys.all, 'file', 'of', entity, id] as const,
  history: (entity: string, id: string) => [...recordKeys.all, entity, 'history', id] as const,
};

/** The newest first. */
export function commentsQuery(entity: EntityMeta, id: string) {
  return pages<CommentData>(pathOf(entity, id, 'comments'), activityKeys.comments(entity.name, id));
}

/** The newest first. */
export function historyQuery(entity: EntityMeta, id: string) {
  return pages<HistoryEntry>(pathOf(entity, id, 'history'), activityKeys.history(entity.name, id));
}

/** The most the server gives at once; hardly a record has more. */
const FILES_LIMIT = 500;

export function filesQuery(entity: EntityMeta, id: string) {
  return queryOptions({
    queryKey: activityKeys.files(entity.name, id),
    queryFn: ({ signal }) =>
      collections.get<Page<FileData>>(pathOf(entity, id, 'files'), { query: { limit: FILES_LIMIT }, signal }),
  });
}

/** Whoever may not write internal comments does not send the word at all. */
export function addComment(
  entity: EntityMeta,
  id: string,
  comment: { id: string; body: string; internal?: boolean },
): Promise<CommentData> {
  return collections.post(pathOf(entity, id, 'comments'), comment, { idempotencyKey: comment.id });
}

export async function changeComment(id: string, body: string): Promise<void> {
  await api.patch('/comments/{id}', { path: { id }, body: { body } });
}

type Part = 'comments' | 'files';

export async function deletePart(part: Part, id: string): Promise<void> {
  await api.delete(`/${part}/{id}`, { path: { id } });
}

export async function restorePart(part: Part, id: string): Promise<void> {
  await api.post(`/${part}/{id}/restore`, { path: { id } });
}
