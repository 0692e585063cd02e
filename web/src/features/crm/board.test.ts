import { describe, expect, it } from 'vitest';
import { askedFor, daysSince, isRotting } from './board';

const now = Date.parse('2026-06-30T12:00:00Z');
const deal = { id: 'a', version: 1, stage_since: '2026-05-01T00:00:00Z' };

describe('a move', () => {
  it('asks why it goes back, why it was lost, and nothing on the way on', () => {
    expect(askedFor('prospect', 'negociation')).toBeNull();
    expect(askedFor('negociation', 'signe')).toBeNull();
    expect(askedFor('inactif', 'prospect')).toBeNull();
    expect(askedFor('negociation', 'prospect')).toEqual({ reason: true, lost: false });
    expect(askedFor('signe', 'negociation')).toEqual({ reason: true, lost: false });
    expect(askedFor('proposition', 'perdu')).toEqual({ reason: false, lost: true });
  });
});

describe('a deal', () => {
  it('rots when neither an activity nor a move was there lately', () => {
    const after = { days: 30, pause: true, now };
    expect(isRotting(deal, after)).toBe(true);
    expect(isRotting({ ...deal, last_activity_at: '2026-06-10T00:00:00Z' }, after)).toBe(false);
    expect(isRotting(deal, { ...after, days: 90 })).toBe(false);
    expect(isRotting(deal, { ...after, days: null })).toBe(false);
  });

  it('does not while something is planned, unless that is not wanted or is past', () => {
    const planned = { ...deal, next_activity_at: '2027-01-01T00:00:00Z' };
    expect(isRotting(planned, { days: 30, pause: true, now })).toBe(false);
    expect(isRotting(planned, { days: 30, pause: false, now })).toBe(true);
    const missed = { ...deal, next_activity_at: '2026-06-01T00:00:00Z' };
    expect(isRotting(missed, { days: 30, pause: true, now })).toBe(true);
  });

  it('has stood somewhere for whole days', () => {
    expect(daysSince('2026-06-29T00:00:00Z', now)).toBe(1);
    expect(daysSince('2026-07-29T00:00:00Z', now)).toBe(0);
    expect(daysSince(null, now)).toBeNull();
  });
});
