/** Says across every page that nothing is saved at the moment, until it is over. */
import { useQueryClient } from '@tanstack/react-query';
import { CloudOff } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useSavingRefused } from '@/api/saving';

export function SavingRefused() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const refused = useSavingRefused();
  const before = useRef(refused);
  useEffect(() => {
    if (before.current && !refused) {
      // What could not be read meanwhile is read now.
      void client.refetchQueries({ type: 'active', predicate: ({ state }) => state.status === 'error' });
    }
    before.current = refused;
  }, [refused, client]);
  // The region is there before its text, or nobody who listens would be told.
  return (
    <div role="status" aria-label={t('shell.saving_state')}>
      {refused && (
        <p className="flex items-start gap-2 border-b bg-[hsl(var(--amber-surface))] px-3 py-2 text-[hsl(var(--amber-text))] text-sm print:hidden">
          <CloudOff aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span>
            <strong className="font-medium">{t('shell.saving_refused')}</strong> {t('shell.saving_kept')}
          </span>
        </p>
      )}
    </div>
  );
}
