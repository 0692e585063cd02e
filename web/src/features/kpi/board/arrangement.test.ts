import { expect, it } from 'vitest';
import type { Tile } from '../figures';
import { arranged, movedTo, placesToWrite } from './arrangement';

const tiles = ['a', 'b', 'c'].map((kpi_id) => ({ kpi_id }) as Tile);
const ids = (list: Tile[]) => list.map(({ kpi_id }) => kpi_id);

it('a tile is moved to its new place, and the others close up', () => {
  expect(movedTo(['a', 'b', 'c'], 'a', 2)).toEqual(['b', 'c', 'a']);
  expect(movedTo(['a', 'b', 'c'], 'c', 0)).toEqual(['c', 'a', 'b']);
});

it('nothing moves beyond the ends, and nothing that is not there', () => {
  expect(movedTo(['a', 'b'], 'a', -1)).toEqual(['a', 'b']);
  expect(movedTo(['a', 'b'], 'b', 2)).toEqual(['a', 'b']);
  expect(movedTo(['a', 'b'], 'z', 0)).toEqual(['a', 'b']);
});

it('tiles stand in the order; new ones come last', () => {
  expect(ids(arranged(tiles, ['c', 'a']))).toEqual(['c', 'a', 'b']);
});

it('every place is written', () => {
  expect(placesToWrite(['b', 'a'])).toEqual([
    { op: 'update', id: 'b', data: { position: 0 } },
    { op: 'update', id: 'a', data: { position: 1 } },
  ]);
});
