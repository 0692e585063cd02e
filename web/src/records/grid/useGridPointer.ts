/** What a click does, by where in the grid it falls. One handler for all rows keeps each row cheap. */
import type { MouseEvent } from 'react';
import type { GridProps } from './Grid';
import { allState, extendTo, NOTHING, selectAll, toggle } from './selection';
import type { ActiveCell } from './useActiveCell';

type PointerProps = Pick<GridProps, 'rows' | 'selection' | 'onSelect' | 'onOpen'>;

/** A click on a link of its own, or one that asks for another tab, is the browser's. */
function isForTheBrowser(event: MouseEvent, link: Element | null): boolean {
  return link !== null && (!link.hasAttribute('data-open') || event.ctrlKey || event.metaKey);
}

export function useGridPointer(props: PointerProps, active: ActiveCell) {
  const { rows, selection, onSelect, onOpen } = props;
  const onRow = (event: MouseEvent, id: string, inBox: boolean) => {
    if (event.shiftKey) {
      onSelect(extendTo(selection, id, rows.ids));
    } else if (inBox || event.ctrlKey || event.metaKey) {
      onSelect(toggle(selection, id));
    } else {
      event.preventDefault();
      onOpen(id);
    }
  };
  return (event: MouseEvent<HTMLDivElement>) => {
    const target = event.target as HTMLElement;
    if (target.closest('[data-select-all]')) {
      onSelect(allState(selection, rows.ids) === true ? NOTHING : selectAll(rows.ids));
      return;
    }
    const id = target.closest('[data-row]')?.getAttribute('data-row');
    if (!id || isForTheBrowser(event, target.closest('a'))) {
      return;
    }
    onRow(event, id, target.closest('[data-select]') !== null);
    active.put({ row: active.places.get(id) ?? 0, column: active.column });
    event.currentTarget.focus({ preventScroll: true });
  };
}
