/** Where a request stands, in the words of the one who waits for it. */
import type { EntityMeta, RecordData, StateCategory } from '@/api/types';

export function categoryOf(entity: EntityMeta, record: RecordData): StateCategory {
  const value = entity.state_field === null ? undefined : record[entity.state_field];
  return entity.states.find((state) => state.value === value)?.category ?? 'open';
}

/** The states in which nobody works on it any more. */
export function finishedStates(entity: EntityMeta): string[] {
  return entity.states
    .filter(({ category }) => category === 'done' || category === 'closed')
    .map(({ value }) => value);
}

/** How far along the way it is: received, being worked on, settled. */
export function stepOf(category: StateCategory): 0 | 1 | 2 {
  return category === 'open' ? 0 : category === 'active' || category === 'waiting' ? 1 : 2;
}
