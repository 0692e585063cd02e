/** Which rows are selected. Pure: every key and click is one function from selection to selection. */

export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** Where a range starts: the row that was selected or unselected last by itself. */
  readonly anchor: string | null;
}

export const NOTHING: Selection = { ids: new Set(), anchor: null };

export function toggle(selection: Selection, id: string): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) {
    ids.add(id);
  }
  return { ids, anchor: id };
}

/** From the anchor to `id`, in the order on screen; what was selected before stays. */
export function extendTo(selection: Selection, id: string, order: readonly string[]): Selection {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(id);
  if (to < 0) {
    return selection;
  }
  if (from < 0) {
    return { ids: new Set([...selection.ids, id]), anchor: id };
  }
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set([...selection.ids, ...range]), anchor: selection.anchor };
}

export function selectAll(order: readonly string[]): Selection {
  return { ids: new Set(order), anchor: order[0] ?? null };
}

export function allState(selection: Selection, order: readonly string[]): boolean | 'indeterminate' {
  if (order.length === 0 || selection.ids.size === 0) {
    return false;
  }
  return order.every((id) => selection.ids.has(id)) ? true : 'indeterminate';
}

/** Rows that left the list (deleted, no longer matching) leave the selection as well. */
export function keepOnly(selection: Selection, present: ReadonlySet<string>): Selection {
  const ids = new Set([...selection.ids].filter((id) => present.has(id)));
  return ids.size === selection.ids.size ? selection : { ids, anchor: selection.anchor };
}
