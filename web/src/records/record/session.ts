/**
 * What every part of a record's page needs to know. In two, because they change at different paces: the
 * record when it is read again, the editing with each key. Who only reads is not drawn anew by typing.
 */
import { createContext, use } from 'react';
import type { EntityMeta, Me, RecordPage } from '@/api/types';
import type { Errors } from '@/records/form/useErrors';
import type { Edit } from './useEdit';
import type { Save } from './useSave';

export interface RecordSession {
  entity: EntityMeta;
  page: RecordPage;
  me: Me;
  /** Of the ids of the fields on this page. */
  prefix: string;
  mode: 'panel' | 'page';
}

export interface Editing {
  edit: Edit;
  errors: Errors;
  save: Save;
}

const Session = createContext<RecordSession | null>(null);
const Edits = createContext<Editing | null>(null);

export const RecordSessionProvider = Session;
export const EditingProvider = Edits;

function within<T>(value: T | null): T {
  if (value === null) {
    throw new Error('A part of the record page stands outside of it.');
  }
  return value;
}

export function useRecordSession(): RecordSession {
  return within(use(Session));
}

export function useEditing(): Editing {
  return within(use(Edits));
}
