/** The order of the tiles, and what is written when it changes. */
import type { BulkOperation } from '@/api/types';
import type { Tile } from '../figures';

/** Tiles in an order of ids; those it does not name, because somebody has just added them, come last. */
export function arranged(tiles: Tile[], order: string[]): Tile[] {
  const place = new Map(order.map((id, at) => [id, at]));
  return tiles.toSorted(
    (a, b) => (place.get(a.kpi_id) ?? order.length) - (place.get(b.kpi_id) ?? order.length),
  );
}

export function movedTo(order: string[], id: string, to: number): string[] {
  const from = order.indexOf(id);
  if (from < 0 || to < 0 || to >= order.length || from === to) {
    return order;
  }
  const rest = order.toSpliced(from, 1);
  return rest.toSpliced(to, 0, id);
}

/** Every place is written: indicators that were never arranged all stand at the first. */
export function placesToWrite(order: string[]): BulkOperation[] {
  return order.map((id, position) => ({ op: 'update', id, data: { position } }));
}
