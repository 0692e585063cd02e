/** Before a deal goes back, is lost or opened again: why. */
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { fieldNamed } from '@/api/meta';
import type { EntityMeta } from '@/api/types';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { Select, Textarea } from '@/ui/input';
import type { Asked } from './board';
import { useWords } from './words';

interface MoveDialogProps {
  entity: EntityMeta;
  stage: string;
  asked: Asked;
  /** What the server said against it. */
  refused: string | null;
  pending: boolean;
  onMove: (fields: Record<string, unknown>) => void;
  onClose: () => void;
}

export function MoveDialog({ entity, stage, asked, refused, pending, onMove, onClose }: MoveDialogProps) {
  const { t } = useTranslation();
  const say = useWords();
  const id = useId();
  const [reason, setReason] = useState('');
  const [lost, setLost] = useState('');
  const [detail, setDetail] = useState('');
  const [tried, setTried] = useState(false);
  const label = (name: string) => fieldNamed(entity, name)?.label ?? name;
  const lostField = fieldNamed(entity, 'lost_reason');
  const options = lostField && 'options' in lostField ? lostField.options : [];
  const missing = {
    reason: asked.reason && reason.trim() === '',
    lost: asked.lost && lost === '',
    detail: asked.lost && lost === 'autre' && detail.trim() === '',
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!missing.reason && !missing.lost && !missing.detail && !pending) {
      onMove({
        ...(asked.reason && { stage_reason: reason.trim() }),
        ...(asked.lost && { lost_reason: lost, lost_detail: detail.trim() || null }),
      });
    }
  };
  const fault = (wrong: boolean, of: string) =>
    tried && wrong ? (
      <span id={`${id}-${of}-fault`} className="text-danger">
        {say('ask.needed')}
      </span>
    ) : null;
  const told = (wrong: boolean, of: string) =>
    tried && wrong ? { 'aria-invalid': true, 'aria-describedby': `${id}-${of}-fault` } : {};
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={say('ask.title', { stage })} closeLabel={t('action.close')}>
        <form onSubmit={submit} noValidate className="flex flex-col gap-3">
          {refused && (
            <p role="alert" className="rounded-md bg-danger-surface px-3 py-1.5">
              {refused}
            </p>
          )}
          {asked.lost && (
            <label className="flex flex-col gap-1" htmlFor={`${id}-lost`}>
              <span className="font-medium">{label('lost_reason')}</span>
              <Select
                id={`${id}-lost`}
                value={lost}
                required
                onChange={(event) => setLost(event.target.value)}
                {...told(missing.lost, 'lost')}
              >
                <option value="">{say('ask.choose')}</option>
                {options.map((option) => (
                  <option key={option.value} value={option.value}>
                    {option.label}
                  </option>
                ))}
              </Select>
              {fault(missing.lost, 'lost')}
            </label>
          )}
          {asked.lost && (
            <label className="flex flex-col gap-1" htmlFor={`${id}-detail`}>
              <span className="font-medium">{label('lost_detail')}</span>
              <Textarea
                id={`${id}-detail`}
                rows={3}
                value={detail}
                onChange={(event) => setDetail(event.target.value)}
                {...told(missing.detail, 'detail')}
              />
              {fault(missing.detail, 'detail')}
            </label>
          )}
          {asked.reason && (
            <label className="flex flex-col gap-1" htmlFor={`${id}-reason`}>
              <span className="font-medium">{label('stage_reason')}</span>
              <Textarea
                id={`${id}-reason`}
                rows={2}
                maxLength={500}
                required
                value={reason}
                onChange={(event) => setReason(event.target.value)}
                {...told(missing.reason, 'reason')}
              />
              {fault(missing.reason, 'reason')}
            </label>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="submit" variant="primary" disabled={pending}>
              {say('ask.go')}
            </Button>
          </div>
        </form>
      </DialogContent>
    </Dialog>
  );
}
