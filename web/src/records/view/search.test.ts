import { describe, expect, it } from 'vitest';
import type { SavedView } from '@/api/types';
import { entities } from '@/test/fake/meta';
import { effectiveView, nextSort, viewChoices } from './effective';
import { readGridSearch } from './search';

const [ticket] = entities('en');
if (!ticket) {
  throw new Error('the fake server has tickets');
}

describe('the address of a list', () => {
  it('is read back as it was written', () => {
    const search = {
      view: 'module:mine',
      q: 'vpn',
      filter: { all: [{ field: 'status', op: 'in' as const, value: ['new'] }] },
      sort: ['-priority', 'title'],
      columns: ['number', 'title'],
      open: 'TIC-000123',
    };
    expect(readGridSearch(search)).toEqual(search);
  });

  it('loses what cannot be understood, and nothing else', () => {
    expect(
      readGridSearch({
        q: 123,
        filter: { field: 4 },
        sort: [1, 'title'],
        columns: 'number,title',
        deleted: 'yes',
        x: 1,
      }),
    ).toEqual({ q: '123', sort: ['title'], columns: ['number', 'title'] });
  });

  it('tells "no filter" from "the filter of the view"', () => {
    expect(readGridSearch({ filter: null })).toEqual({ filter: null });
    expect(readGridSearch({})).toEqual({});
  });
});

describe('what a list shows', () => {
  const view = {
    columns: ['title', 'status'],
    sort: ['-priority'],
    filter: { field: 'status', op: 'eq' as const, value: 'new' },
  };

  it('is what the entity declares, when nothing else is said', () => {
    expect(effectiveView(ticket, undefined, {})).toEqual({
      columns: ticket.list.columns,
      sort: ['-created_at'],
      filter: null,
      changed: false,
    });
  });

  it('is the view, with what the address changes of it', () => {
    expect(effectiveView(ticket, view, {})).toMatchObject({ ...view, changed: false });
    expect(effectiveView(ticket, view, { sort: ['title'] })).toMatchObject({
      ...view,
      sort: ['title'],
      changed: true,
    });
    expect(effectiveView(ticket, view, { filter: null })).toMatchObject({ filter: null, changed: true });
  });

  it('leaves out columns the reader may not see', () => {
    expect(effectiveView(ticket, { columns: ['title', 'salary'] }, {}).columns).toEqual(['title']);
    expect(effectiveView(ticket, { columns: ['salary'] }, {}).columns).toEqual(['number']);
  });

  it('offers the module’s views, then one’s own and those of others', () => {
    const saved = (id: string, created_by: string): SavedView => ({
      id,
      version: 1,
      entity: 'ticket',
      name: id,
      shared: true,
      definition: {},
      created_by,
    });
    const choices = viewChoices(ticket, [saved('a', 'me'), saved('b', 'other')], 'me');
    expect(choices.map(({ key, origin }) => [key, origin])).toEqual([
      ['module:mine', 'module'],
      ['module:critical', 'module'],
      ['a', 'mine'],
      ['b', 'shared'],
    ]);
  });
});

describe('sorting', () => {
  it('goes through ascending, descending and none', () => {
    expect(nextSort(['-created_at'], 'title', false)).toEqual(['title']);
    expect(nextSort(['title'], 'title', false)).toEqual(['-title']);
    expect(nextSort(['-title'], 'title', false)).toEqual([]);
  });

  it('keeps the other keys and their order when one is added', () => {
    expect(nextSort(['-priority'], 'title', true)).toEqual(['-priority', 'title']);
    expect(nextSort(['-priority', 'title'], 'title', true)).toEqual(['-priority', '-title']);
    expect(nextSort(['-priority', '-title', 'status'], 'title', true)).toEqual(['-priority', 'status']);
  });
});
