import { type FormEvent, useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, SavedView, ViewDefinition } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { told } from '@/feedback/toasts';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { Input } from '@/ui/input';
import { useViewWrites } from './saved-views';

interface ViewDialogProps {
  entity: EntityMeta;
  /** The view to rename; absent, a new one is made. */
  view: SavedView | undefined;
  definition: ViewDefinition;
  onClose: () => void;
  onCreated: (key: string) => void;
}

export function ViewDialog({ entity, view, definition, onClose, onCreated }: ViewDialogProps) {
  const { t } = useTranslation();
  const help = useId();
  const { create, change } = useViewWrites(entity.name);
  const error = create.error ?? change.error;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get('name')).trim();
    const shared = form.get('shared') === 'on';
    if (view) {
      change.mutate(
        { view, changes: { name } },
        {
          onSuccess: () => {
            told(t('view.renamed', { name }));
            onClose();
          },
        },
      );
      return;
    }
    create.mutate(
      { name, shared, definition },
      {
        onSuccess: ({ id }) => {
          told(t('view.saved', { name }));
          onCreated(id);
          onClose();
        },
      },
    );
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={view ? t('view.rename') : t('view.save_as_title')}
        closeLabel={t('action.close')}
        className="sm:w-sm"
      >
        <form onSubmit={submit} className="flex flex-col gap-3">
          <label className="flex flex-col gap-1">
            <span className="font-medium">{t('view.name')}</span>
            <Input name="name" required maxLength={100} defaultValue={view?.name} autoFocus />
          </label>
          {!view && (
            <label className="flex items-start gap-2 pointer-coarse:min-h-11">
              <input
                type="checkbox"
                name="shared"
                aria-describedby={help}
                className="mt-0.5 size-4 accent-accent pointer-coarse:size-5"
              />
              <span>
                {t('view.share')}
                <span id={help} className="block text-muted-foreground">
                  {t('view.share_help')}
                </span>
              </span>
            </label>
          )}
          {error && (
            <p role="alert" className="rounded-md bg-danger-surface px-2.5 py-2 text-danger">
              {problemText(error, t)}
            </p>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="submit" variant="primary" disabled={create.isPending || change.isPending}>
              {view ? t('view.rename') : t('view.save')}
            </Button>
          </div>
        </form>
      </DialogContent>
    </Dialog>
  );
}
