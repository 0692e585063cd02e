/**
 * What an entity brings to its pages besides what the metadata says. Which entities do is told from outside,
 * where the pages are put together: nothing here knows one by name.
 */
import { type ComponentType, createContext, use } from 'react';

export interface OwnParts {
  /** Fields that its own parts show, so that the generic page leaves them out. */
  fields: string[];
  /** Related records that its own parts show, by name. */
  related?: string[];
  /** Under the heading of the record: what can be done with it. */
  Actions?: ComponentType;
  /** Before the fields of the record. */
  Lead?: ComponentType;
  /** What it leads with takes the whole width; everything else stands behind tabs. */
  whole?: true;
  /** After the fields of the record. */
  Body?: ComponentType;
  /** In the toolbar of the list, for those who may create. */
  Tools?: ComponentType;
  /** In place of the list, as long as the address asks for nothing of it. */
  Home?: ComponentType;
}

const Own = createContext<Record<string, OwnParts>>({});

export const OwnPartsProvider = Own;

export function useOwnParts(entity: string): OwnParts | undefined {
  return use(Own)[entity];
}
