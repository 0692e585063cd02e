import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { entities } from '@/test/fake/meta';
import { newClause } from './model';
import { clauseWords } from './sentence';

const [ticket] = entities('en');

function sentence(...[field, op, value]: Parameters<typeof newClause>): string {
  if (!ticket) {
    throw new Error('the fake server has tickets');
  }
  const words = clauseWords(newClause(field, op, value), {
    entity: ticket,
    titles: { 'user-1': 'Marc Lefèvre' },
    reader: { language: 'en', timeZone: 'Europe/Paris' },
    t: i18next.t,
  });
  return [words.field, words.operator, words.value].filter(Boolean).join(' ');
}

describe('a filter reads as a sentence', () => {
  it.each<[string, Parameters<typeof newClause>]>([
    ['Status is New or In progress', ['status', 'in', ['new', 'in_progress']]],
    ['Status is not Done or Closed', ['status', 'not_in', ['done', 'closed']]],
    ['Priority at least High', ['priority', 'gte', 'high']],
    ['Assignee is me', ['assignee', 'eq', '@me']],
    ['Assignee is me or Marc Lefèvre', ['assignee', 'in', ['@me', 'user-1']]],
    ['Title contains “vpn”', ['title', 'contains', 'vpn']],
    ['Due before today', ['due_at', 'lt', '@today']],
    ['Due from May 3, 2026', ['due_at', 'gte', '2026-05-02T22:00:00Z']],
    ['Due from nonsense', ['due_at', 'gte', 'nonsense']],
    ['Assignee is empty', ['assignee', 'is_empty', true]],
    ['Due is not empty', ['due_at', 'is_empty', false]],
  ])('%s', (text, clause) => {
    expect(sentence(...clause)).toBe(text);
  });
});
