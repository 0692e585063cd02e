/** What every part of a record's page needs to know, from the one place that knows it. */
import { createContext, use } from 'react';
import type { EntityMeta, Me, RecordPage } from '@/api/types';
import type { Errors } from '@/records/form/useErrors';
import type { Edit } from './useEdit';
import type { Save } from './useSave';

export interface RecordSession {
  entity: EntityMeta;
  page: RecordPage;
  me: Me;
  edit: Edit;
  errors: Errors;
  save: Save;
  /** Of the ids of the fields on this page. */
  prefix: string;
  mode: 'panel' | 'page';
}

const Context = createContext<RecordSession | null>(null);

export const RecordSessionProvider = Context;

export function useRecordSession(): RecordSession {
  const session = use(Context);
  if (session === null) {
    throw new Error('A part of the record page stands outside of it.');
  }
  return session;
}
