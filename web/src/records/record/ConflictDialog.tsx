/** Two people changed the same fields: both sides next to each other, and a choice for each field. */
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { FieldConflict, FieldMeta, Labels } from '@/api/types';
import { FieldDisplay } from '@/records/fields/FieldDisplay';
import { useTitles } from '@/records/link/search';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Dialog, DialogContent } from '@/ui/dialog';
import type { Side } from './buffer';
import { useRecordSession } from './session';

interface SideChoiceProps {
  name: string;
  side: Side;
  field: FieldMeta;
  value: unknown;
  labels: Labels;
  chosen: boolean;
  onChoose: () => void;
}

function SideChoice({ name, side, field, value, labels, chosen, onChoose }: SideChoiceProps) {
  const { t } = useTranslation();
  const { entity } = useRecordSession();
  return (
    <label
      className={cn(
        'flex min-w-0 cursor-pointer items-start gap-2 rounded-md border px-2.5 py-2 pointer-coarse:min-h-11',
        'has-focus-visible:outline-2 has-focus-visible:outline-accent',
        chosen && 'border-accent bg-selected',
      )}
    >
      <input type="radio" name={name} checked={chosen} onChange={onChoose} className="mt-1 accent-accent" />
      <span className="min-w-0 flex-1">
        <span className="block text-xs text-muted-foreground">{t(`conflict.${side}`)}</span>
        <span className="block max-h-48 overflow-auto">
          <FieldDisplay field={field} value={value} variant="block" labels={labels} states={entity.states} />
        </span>
      </span>
    </label>
  );
}

function linkedIds(field: FieldMeta, conflict: FieldConflict): string[] {
  if (field.type !== 'link' && field.type !== 'links') {
    return [];
  }
  return [conflict.base, conflict.yours, conflict.theirs]
    .flat()
    .filter((id): id is string => typeof id === 'string');
}

interface ConflictRowProps {
  field: FieldMeta;
  conflict: FieldConflict;
  side: Side;
  onChoose: (side: Side) => void;
}

function ConflictRow({ field, conflict, side, onChoose }: ConflictRowProps) {
  const { t } = useTranslation();
  const { page, entity } = useRecordSession();
  const name = useId();
  const target = 'to' in field && typeof field.to === 'string' ? field.to : '';
  const unknown = linkedIds(field, conflict).filter((id) => page.labels[id] === undefined);
  const labels = { ...page.labels, ...useTitles(target, unknown) };
  const sides: Side[] = ['yours', 'theirs'];
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 font-medium">{field.label}</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {sides.map((candidate) => (
          <SideChoice
            key={candidate}
            name={name}
            side={candidate}
            field={field}
            value={conflict[candidate]}
            labels={labels}
            chosen={side === candidate}
            onChoose={() => onChoose(candidate)}
          />
        ))}
      </div>
      <div className="mt-1 flex min-w-0 gap-1.5 px-2.5 text-xs text-muted-foreground">
        <span className="shrink-0">{t('conflict.base')}</span>
        <span className="min-w-0 truncate">
          <FieldDisplay
            field={field}
            value={conflict.base}
            variant="line"
            labels={labels}
            states={entity.states}
          />
        </span>
      </div>
    </fieldset>
  );
}

interface ConflictDialogProps {
  conflicts: FieldConflict[];
  onDecide: (choices: Record<string, Side>) => void;
  onClose: () => void;
}

export function ConflictDialog({ conflicts, onDecide, onClose }: ConflictDialogProps) {
  const { t } = useTranslation();
  const { entity } = useRecordSession();
  const [choices, setChoices] = useState<Record<string, Side>>({});
  const sideOf = (name: string): Side => choices[name] ?? 'yours';
  const rows = conflicts.flatMap((conflict) => {
    const field = entity.fields.find(({ name }) => name === conflict.field);
    return field ? [{ field, conflict }] : [];
  });
  const all = (side: Side) => setChoices(Object.fromEntries(conflicts.map(({ field }) => [field, side])));
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={t('conflict.title')}
        description={t('conflict.help')}
        closeLabel={t('action.close')}
        className="sm:w-2xl"
      >
        <div className="flex flex-col gap-4">
          {rows.length > 1 && (
            <div className="flex flex-wrap gap-2">
              <Button onClick={() => all('yours')}>{t('conflict.all_yours')}</Button>
              <Button onClick={() => all('theirs')}>{t('conflict.all_theirs')}</Button>
            </div>
          )}
          {rows.map(({ field, conflict }) => (
            <ConflictRow
              key={field.name}
              field={field}
              conflict={conflict}
              side={sideOf(field.name)}
              onChoose={(side) => setChoices((current) => ({ ...current, [field.name]: side }))}
            />
          ))}
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>{t('conflict.later')}</Button>
            <Button
              variant="primary"
              onClick={() =>
                onDecide(Object.fromEntries(rows.map(({ field }) => [field.name, sideOf(field.name)])))
              }
            >
              {t('conflict.save')}
            </Button>
          </div>
        </div>
      </DialogContent>
    </Dialog>
  );
}
