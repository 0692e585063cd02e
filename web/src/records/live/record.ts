import { useQueryClient } from '@tanstack/react-query';
import { recordKeys } from '@/api/records';
import type { EntityMeta } from '@/api/types';
import { useChanges } from './live';

/**
 * Keeps one record true that stands in the address, and so in the cache, by its number: the stream of
 * changes names records by their id.
 */
export function useFreshRecord(entity: EntityMeta, reference: string, id: string | undefined): void {
  const client = useQueryClient();
  useChanges(entity.name, (changes) => {
    if (id !== undefined && id !== reference && changes.some((change) => change.id === id)) {
      void client.invalidateQueries({ queryKey: recordKeys.record(entity.name, reference) });
    }
  });
}
