/** What a list really shows: the entity's default, over it the chosen view, over that what was changed. */
import type { Condition, EntityMeta, SavedView, ViewDefinition } from '@/api/types';
import type { GridSearch } from './search';

const MODULE = 'module:';

/** A view to choose: one that a module brings, or one that a person saved. */
export interface ViewChoice {
  key: string;
  label: string;
  origin: 'module' | 'mine' | 'shared';
  definition: ViewDefinition;
  saved?: SavedView;
}

export function viewChoices(entity: EntityMeta, saved: SavedView[], me: string): ViewChoice[] {
  const shipped = entity.views.map(
    ({ name, label, columns, sort, filter }): ViewChoice => ({
      key: MODULE + name,
      label,
      origin: 'module',
      definition: { columns, sort, filter },
    }),
  );
  const own = saved.map(
    (view): ViewChoice => ({
      key: view.id,
      label: view.name,
      origin: view.created_by === me ? 'mine' : 'shared',
      definition: view.definition,
      saved: view,
    }),
  );
  return [...shipped, ...own];
}

export interface EffectiveView {
  columns: string[];
  sort: string[];
  filter: Condition | null;
  /** Something of the address differs from the view, so there is something to save. */
  changed: boolean;
}

function readable(entity: EntityMeta, columns: string[]): string[] {
  return columns.filter((name) => entity.fields.some((field) => field.name === name));
}

function notEmpty(list: string[] | undefined): string[] | undefined {
  return list && list.length > 0 ? list : undefined;
}

function sameAs(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Columns the reader may not see (any more) are left out; without any left, the title is shown. */
export function effectiveView(
  entity: EntityMeta,
  view: ViewDefinition | undefined,
  search: GridSearch,
): EffectiveView {
  const columns = notEmpty(view?.columns) ?? entity.list.columns;
  const sort = notEmpty(view?.sort) ?? entity.list.sort;
  const filter = view?.filter ?? null;
  const shown = readable(entity, search.columns ?? columns);
  const result = {
    columns: shown.length > 0 ? shown : entity.fields.slice(0, 1).map(({ name }) => name),
    sort: search.sort ?? sort,
    filter: search.filter === undefined ? filter : search.filter,
  };
  const changed =
    !sameAs(result.sort, sort) ||
    !sameAs(result.filter, filter) ||
    (search.columns !== undefined && !sameAs(search.columns, columns));
  return { ...result, changed };
}

/** One more key of the order, or the next direction of it: ascending, descending, none. */
export function nextSort(sort: string[], field: string, add: boolean): string[] {
  const at = sort.findIndex((key) => key === field || key === `-${field}`);
  const current = at < 0 ? null : sort[at];
  const next = current === null ? field : current === field ? `-${field}` : null;
  if (!add) {
    return next === null ? [] : [next];
  }
  if (at < 0) {
    return [...sort, field];
  }
  return next === null ? sort.toSpliced(at, 1) : sort.toSpliced(at, 1, next);
}
