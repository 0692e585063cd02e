/** Questions that stand between an act and its doing. */
import { useBlocker } from '@tanstack/react-router';
import { type ReactNode, type RefObject, useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { useEditing } from './session';

interface ConfirmDialogProps {
  title: string;
  text: string;
  verb: string;
  danger?: boolean;
  onConfirm: () => void;
  onClose: () => void;
}

export function ConfirmDialog({ title, text, verb, danger, onConfirm, onClose }: ConfirmDialogProps) {
  const { t } = useTranslation();
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        role="alertdialog"
        title={title}
        description={text}
        closeLabel={t('action.close')}
        bodyClassName="p-3"
      >
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button variant={danger ? 'danger' : 'primary'} onClick={onConfirm}>
            {verb}
          </Button>
        </div>
      </DialogContent>
    </Dialog>
  );
}

interface Place {
  pathname: string;
  search: unknown;
}

/** The record that is open, on its page or beside a list: what the address says of it. */
function recordOf({ pathname, search }: Place): string {
  const open = (search as { open?: string }).open;
  return `${pathname} ${open ?? ''}`;
}

/**
 * Leaving with unsaved changes asks; the reload of the page too, by the browser's own words. `gone` says
 * that there is nothing left to save: the record was deleted.
 */
export function LeaveGuard({ gone }: { gone: RefObject<boolean> }): ReactNode {
  const { t } = useTranslation();
  const { edit, save } = useEditing();
  const dirty = edit.changed.length > 0;
  const shouldBlockFn = useCallback(
    ({ current, next }: { current: Place; next: Place }) =>
      dirty && !gone.current && recordOf(current) !== recordOf(next),
    [dirty, gone],
  );
  const blocker = useBlocker({
    shouldBlockFn,
    enableBeforeUnload: dirty,
    withResolver: true,
  });
  if (blocker.status !== 'blocked') {
    return null;
  }
  return (
    <Dialog open onOpenChange={(open) => !open && blocker.reset()}>
      <DialogContent
        role="alertdialog"
        title={t('record.leave_title')}
        description={t('record.leave_help', { count: edit.changed.length })}
        closeLabel={t('action.close')}
        bodyClassName="p-3"
      >
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={blocker.reset}>{t('form.stay')}</Button>
          <Button
            variant="danger-ghost"
            onClick={() => {
              edit.discard();
              blocker.proceed();
            }}
          >
            {t('form.discard')}
          </Button>
          <Button
            variant="primary"
            disabled={save.pending}
            // A question of the server is answered here first.
            onClick={() => void save.save().then((saved) => (saved ? blocker.proceed() : blocker.reset()))}
          >
            {t('action.save')}
          </Button>
        </div>
      </DialogContent>
    </Dialog>
  );
}
