/** What the records of the customer relations show of their own, loaded with the first page that needs it. */
import { lazy } from 'react';
import type { OwnParts } from '@/records/record/own-parts';

const Body = lazy(() => import('./Timeline').then(({ Timeline }) => ({ default: Timeline })));

export const CRM: Record<string, OwnParts> = {
  organisation: { fields: [], Body },
  person: { fields: [], Body },
  deal: { fields: [], Body },
};
