import { expect, it } from 'vitest';
import type { Direction } from '../figures';
import { slideAfter, slideAt, slidesOf } from './slides';

const view = {
  items: [
    { dashboard_id: '1', title: 'Atelier', process_name: 'Production' },
    { dashboard_id: '2', title: 'Ligne 2', process_name: 'Production' },
    { dashboard_id: '3', title: 'Divers', process_name: null },
  ],
  processes: [{ process_name: 'Production' }, { process_name: null }],
  top_risks: [{}],
  key_actions: [],
} as unknown as Direction;

it('a meeting goes through the whole, the risks, and each dashboard', () => {
  expect(slidesOf(view, 'dashboard').map((slide) => ('title' in slide ? slide.title : slide.kind))).toEqual([
    'summary',
    'risks',
    'Atelier',
    'Ligne 2',
    'Divers',
  ]);
});

it('or through each process with its dashboards', () => {
  const slides = slidesOf(view, 'process').filter((slide) => slide.kind === 'boards');
  expect(slides.map(({ title, boards }) => [title, boards.map((board) => board.title)])).toEqual([
    ['Production', ['Atelier', 'Ligne 2']],
    [null, ['Divers']],
  ]);
});

it('keys lead on and back, and never beyond the ends', () => {
  expect(slideAfter('ArrowRight', 0, 3)).toBe(1);
  expect(slideAfter('ArrowRight', 2, 3)).toBe(2);
  expect(slideAfter('ArrowLeft', 0, 3)).toBe(0);
  expect(slideAfter('End', 0, 3)).toBe(2);
  expect(slideAfter('Home', 2, 3)).toBe(0);
  expect(slideAfter('x', 1, 3)).toBeNull();
});

it('the address counts from one', () => {
  expect(slideAt('1', 3)).toBe(0);
  expect(slideAt('9', 3)).toBe(2);
  expect(slideAt('0', 3)).toBe(0);
  expect(slideAt(undefined, 3)).toBeNull();
  expect(slideAt('-1', 3)).toBeNull();
});
