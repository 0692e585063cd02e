/** A failure in words: the server's own where it has some, ours where it could not answer. */
import type { TFunction } from 'i18next';
import { isProblem } from '@/api/problem';

export function problemText(error: unknown, t: TFunction): string {
  if (!isProblem(error)) {
    return t('problem.unexpected');
  }
  if (error.isOffline) {
    return t('problem.offline');
  }
  const fields = error.fieldErrors.map(({ message }) => message).join(' ');
  return fields || error.message || t('problem.unexpected');
}
