/** What a move of a deal asks for, and how long it has stood still. */
import type { RecordData } from '@/api/types';

/** Stages in which a deal can still be won, in their order. */
const OPEN = ['prospect', 'qualification', 'proposition', 'negociation'];
const DECIDED = ['signe', 'perdu'];

/** What the person is asked before a deal moves; the server has the last word. */
export interface Asked {
  /** Why it goes back. */
  reason: boolean;
  /** Why it was lost. */
  lost: boolean;
}

export function askedFor(from: string, to: string): Asked | null {
  const [here, there] = [OPEN.indexOf(from), OPEN.indexOf(to)];
  const back = here >= 0 && there >= 0 && there < here;
  const reopened = DECIDED.includes(from) && there >= 0;
  const lost = to === 'perdu';
  return back || reopened || lost ? { reason: back || reopened, lost } : null;
}

const DAY = 86_400_000;

function time(value: unknown): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

/** Whole days since a moment. */
export function daysSince(value: unknown, now: number): number | null {
  const at = time(value);
  return at === null ? null : Math.max(0, Math.floor((now - at) / DAY));
}

interface Rotting {
  /** After so many days, at the stage where the deal is; never where there is no number. */
  days: number | null;
  /** Whether something planned stops it. */
  pause: boolean;
  now: number;
}

/** Nothing happened for too long: neither an activity nor a move. */
export function isRotting(deal: RecordData, { days, pause, now }: Rotting): boolean {
  const next = time(deal.next_activity_at);
  if (days === null || (pause && next !== null && next >= now)) {
    return false;
  }
  const last = Math.max(time(deal.last_activity_at) ?? 0, time(deal.stage_since) ?? 0);
  return last > 0 && now - last > days * DAY;
}
