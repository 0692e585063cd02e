import { Save as SaveIcon, UsersRound } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { isSubmitKey } from '@/records/form/keys';
import { Button } from '@/ui/button';
import { useEditing } from './session';

/** Ctrl/Cmd+S and Ctrl/Cmd+Enter, wherever on the page one is; a dialog or a comment keeps its own. */
function useSaveKey(save: () => void): void {
  const latest = useRef(save);
  latest.current = save;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const elsewhere = event.target instanceof Element && event.target.closest('[role="dialog"]');
      if (isSubmitKey(event) && !event.defaultPrevented && !elsewhere) {
        event.preventDefault();
        latest.current();
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}

/** Says what was changed and not saved, and that nothing has been sent yet. */
export function SaveBar() {
  const { t } = useTranslation();
  const { edit, save, errors } = useEditing();
  const { changed, overlaps } = edit;
  const some = changed.length > 0;
  useSaveKey(() => void save.save());
  useEffect(() => {
    if (some) {
      // The bar takes room at the bottom: what one is writing must not end up under it.
      document.activeElement?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [some]);
  if (!some) {
    return <p role="status" className="sr-only" />;
  }
  const named = overlaps.map(({ field }) => changed.find(({ name }) => name === field)?.label ?? field);
  return (
    <section
      aria-label={t('record.unsaved')}
      className="flex shrink-0 flex-col gap-1.5 border-t bg-raised px-4 py-2 shadow-[0_-1px_6px_rgb(0_0_0/0.06)] print:hidden"
    >
      {overlaps.length > 0 && (
        <p role="status" className="flex flex-wrap items-center gap-2">
          <UsersRound aria-hidden className="size-4 shrink-0 text-muted-foreground" />
          {t('record.overlap', { fields: named.join(', ') })}
          <Button onClick={save.compare}>{t('record.compare')}</Button>
        </p>
      )}
      <div className="flex items-center gap-2">
        <p role="status" className="min-w-0 flex-1">
          <span className="font-medium">{t('record.changes', { count: changed.length })}</span>
          <span className="ml-2 text-muted-foreground max-sm:hidden">
            {changed.map(({ label }) => label).join(', ')}
          </span>
        </p>
        <Button
          onClick={() => {
            edit.discard();
            errors.clear();
          }}
        >
          {t('record.discard')}
        </Button>
        <Button
          variant="primary"
          disabled={save.pending}
          aria-keyshortcuts="Control+S Meta+S"
          onClick={() => void save.save()}
        >
          <SaveIcon aria-hidden />
          {t(save.pending ? 'record.saving' : 'action.save')}
        </Button>
      </div>
    </section>
  );
}
