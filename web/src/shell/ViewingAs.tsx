/** Says across every page that one sees with somebody else's eyes, and leads back. */
import { useMutation } from '@tanstack/react-query';
import { Eye } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { leaveView } from '@/api/access';
import type { AppMeta } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { failed } from '@/feedback/toasts';
import { Button } from '@/ui/button';

export function ViewingAs({ app }: { app: AppMeta | undefined }) {
  const { t } = useTranslation();
  const leave = useMutation({
    mutationFn: leaveView,
    onError: (error) => failed(t('viewing.failed'), problemText(error, t)),
  });
  if (!app?.user.viewed_by) {
    return null;
  }
  return (
    <section
      aria-label={t('viewing.title')}
      className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b bg-[hsl(var(--violet-surface))] px-3 py-1.5 text-[hsl(var(--violet-text))] text-sm print:hidden"
    >
      <p className="flex min-w-0 flex-1 items-start gap-2">
        <Eye aria-hidden className="mt-0.5 size-4 shrink-0" />
        <span>
          <strong className="font-medium">{t('viewing.as', { name: app.user.full_name })}</strong>{' '}
          {t('viewing.readonly')}
        </span>
      </p>
      <Button disabled={leave.isPending} onClick={() => leave.mutate()}>
        {t('viewing.leave')}
      </Button>
    </section>
  );
}
