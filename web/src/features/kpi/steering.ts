/** The pieces of steering, in one chunk: what one page of it has loaded serves the next. */
import type { ComponentType } from 'react';
import { Board } from './board/Board';
import { Kiosk } from './board/Kiosk';
import { DirectionPage } from './direction/DirectionPage';
import { EntryPage } from './entry/EntryPage';
import { Indicator } from './indicator/Indicator';
import { loadWords } from './words';

const PIECES = { Board, Kiosk, DirectionPage, EntryPage, Indicator };

/** As `lazy` takes it: a piece is drawn when its words are there too. */
export async function piece(name: keyof typeof PIECES): Promise<{ default: ComponentType }> {
  await loadWords();
  return { default: PIECES[name] };
}
