import { describe, expect, it } from 'vitest';
import type { CommentData, HistoryEntry } from '@/api/types';
import { behind, merged } from './timeline';

const at = (hour: number) => `2026-05-04T${String(hour).padStart(2, '0')}:00:00Z`;
const comment = (hour: number): CommentData => ({
  id: `c${hour}`,
  body: '',
  internal: false,
  created_at: at(hour),
  created_by: null,
});
const change = (hour: number): HistoryEntry => ({
  id: `h${hour}`,
  at: at(hour),
  actor: null,
  action: 'update',
  source: 'web',
  changes: [],
  result: 'ok',
  reason: null,
});
const ids = (items: ReturnType<typeof merged>) =>
  items.map((item) => (item.kind === 'comment' ? item.comment.id : item.entry.id));

describe('comments and changes as one story', () => {
  it('stand in the order they happened, the newest first', () => {
    const comments = { items: [comment(9), comment(5)], more: false };
    const history = { items: [change(8), change(1)], more: false };
    expect(ids(merged(comments, history))).toEqual(['c9', 'h8', 'c5', 'h1']);
    expect(behind(comments, history)).toEqual([]);
  });

  it('show nothing older than what was read of both', () => {
    // Of the comments only those down to 5 o’clock were read: there may be more between 5 and 1.
    const comments = { items: [comment(9), comment(5)], more: true };
    const history = { items: [change(8), change(1)], more: false };
    expect(ids(merged(comments, history))).toEqual(['c9', 'h8', 'c5']);
    expect(behind(comments, history)).toEqual(['comments']);
  });

  it('read on where they got less far', () => {
    const comments = { items: [comment(9), comment(5)], more: true };
    const history = { items: [change(8), change(7)], more: true };
    expect(ids(merged(comments, history))).toEqual(['c9', 'h8', 'h7']);
    expect(behind(comments, history)).toEqual(['history']);
  });
});
