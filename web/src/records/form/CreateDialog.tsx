/** The dialog that creates a record. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, Labels } from '@/api/types';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Dialog, DialogContent } from '@/ui/dialog';
import { CreateForm } from './CreateForm';

export interface CreateDialogProps {
  entity: EntityMeta;
  /** Values it opens with. */
  initial?: Record<string, unknown>;
  labels?: Labels;
  onClose: () => void;
  onCreated: (id: string) => void;
}

export function CreateDialog({ entity, initial, labels, onClose, onCreated }: CreateDialogProps) {
  const { t } = useTranslation();
  const [full, setFull] = useState(false);
  const [dirty, setDirty] = useState(false);
  const [leaving, setLeaving] = useState(false);
  // A draft is kept for a form of its own; one that was opened from another record would be lost.
  const leave = () => (dirty && initial && !leaving ? setLeaving(true) : onClose());
  return (
    <Dialog open onOpenChange={(open) => !open && leave()}>
      <DialogContent
        title={t('grid.create', { label: entity.label })}
        closeLabel={t('action.close')}
        className={cn(full && 'sm:w-3xl')}
        bodyClassName="flex flex-col overflow-hidden p-0"
        // What was typed is not lost by a click beside it.
        onInteractOutside={(event) => dirty && event.preventDefault()}
      >
        {leaving && (
          <div
            role="alert"
            className="flex flex-wrap items-center gap-2 border-b bg-danger-surface px-4 py-2"
          >
            <span className="mr-auto">{t('form.leave')}</span>
            <Button onClick={() => setLeaving(false)}>{t('form.stay')}</Button>
            <Button variant="danger" onClick={onClose}>
              {t('form.discard')}
            </Button>
          </div>
        )}
        <CreateForm
          entity={entity}
          initial={initial}
          labels={labels}
          full={full}
          onFull={() => setFull(true)}
          onCancel={leave}
          onCreated={onCreated}
          onDirty={setDirty}
        />
      </DialogContent>
    </Dialog>
  );
}
