/** Runs a rule for one record, whatever sets it off otherwise. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { appMetaQuery } from '@/api/meta';
import { executeWorkflow } from '@/api/workflows';
import { problemText } from '@/feedback/problem-text';
import { FieldInput } from '@/records/fields/FieldInput';
import { Button } from '@/ui/button';
import { Dialog, DialogContent } from '@/ui/dialog';
import { ErrorText } from './errors';
import { Labelled } from './Labelled';
import { EntitySelect } from './pickers';

interface RunDialogProps {
  workflow: string;
  /** What the rule is about; absent: whoever runs it says. */
  about: string | undefined;
  onClose: () => void;
}

export function RunDialog({ workflow, about, onClose }: RunDialogProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { data: app } = useQuery(appMetaQuery);
  const [chosen, setChosen] = useState(about);
  const [record, setRecord] = useState<string | null>(null);
  const [problem, setProblem] = useState<string>();
  const [pending, setPending] = useState(false);
  const target = app?.entities.find(({ name }) => name === chosen);
  const label = t('automation.run.record');
  const run = async (event: FormEvent) => {
    event.preventDefault();
    if (target && record === null) {
      setProblem(t('form.missing'));
      return;
    }
    setPending(true);
    try {
      const subject = target && record !== null ? { entity: target.name, record_id: record } : null;
      const { id } = await executeWorkflow(workflow, subject);
      onClose();
      void navigate({ to: '/r/$collection/$id', params: { collection: 'executions', id } });
    } catch (error) {
      setProblem(problemText(error, t));
    } finally {
      setPending(false);
    }
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={t('automation.run.title')}
        description={t('automation.run.help')}
        closeLabel={t('action.close')}
      >
        <form noValidate className="flex flex-col gap-3" onSubmit={(event) => void run(event)}>
          {about === undefined && (
            <Labelled label={t('automation.trigger.entity')}>
              {(control) => (
                <EntitySelect
                  {...control}
                  value={chosen}
                  onChange={(name) => {
                    setChosen(name === '' ? undefined : name);
                    setRecord(null);
                  }}
                />
              )}
            </Labelled>
          )}
          {target && (
            <Labelled label={label} required>
              {({ id }) => (
                <FieldInput
                  key={target.name}
                  id={id}
                  autoFocus
                  field={{
                    type: 'link',
                    name: 'record',
                    label,
                    to: target.name,
                    to_collection: target.collection,
                  }}
                  value={record}
                  onChange={(value) => setRecord(typeof value === 'string' ? value : null)}
                  labels={{}}
                  states={[]}
                />
              )}
            </Labelled>
          )}
          <ErrorText text={problem} />
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>{t('action.cancel')}</Button>
            <Button type="submit" variant="primary" disabled={pending}>
              {t('automation.run.go')}
            </Button>
          </div>
        </form>
      </DialogContent>
    </Dialog>
  );
}
