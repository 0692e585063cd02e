/** Agreeing or refusing, with a word about it. */
import { useQueryClient } from '@tanstack/react-query';
import { Check, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { recordKeys } from '@/api/records';
import { decideApproval } from '@/api/workflows';
import { problemText } from '@/feedback/problem-text';
import { told } from '@/feedback/toasts';
import { Button } from '@/ui/button';
import { Textarea } from '@/ui/input';
import { ErrorText } from '../rule/errors';
import { Labelled } from '../rule/Labelled';

export function Decide({ id, title }: { id: string; title: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [comment, setComment] = useState('');
  const [problem, setProblem] = useState<string>();
  const [pending, setPending] = useState(false);
  const decide = async (decision: 'approve' | 'reject') => {
    setPending(true);
    setProblem(undefined);
    try {
      await decideApproval(id, decision, comment);
      told(
        t(decision === 'approve' ? 'automation.approval.approved' : 'automation.approval.rejected', {
          title,
        }),
      );
    } catch (error) {
      setProblem(problemText(error, t));
    } finally {
      setPending(false);
      // Neither approvals nor executions are in the stream of changes.
      for (const entity of ['approval', 'approval_vote', 'execution']) {
        void client.invalidateQueries({ queryKey: [...recordKeys.all, entity] });
      }
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw its own frame and legend
    <div role="group" aria-label={t('automation.approval.decide', { title })} className="flex flex-col gap-2">
      <Labelled label={t('automation.approval.comment')}>
        {(control) => (
          <Textarea
            {...control}
            rows={2}
            className="min-h-14 max-w-2xl"
            maxLength={4000}
            value={comment}
            onChange={({ target }) => setComment(target.value)}
          />
        )}
      </Labelled>
      <ErrorText text={problem} />
      <div className="flex flex-wrap gap-2">
        <Button variant="primary" disabled={pending} onClick={() => void decide('approve')}>
          <Check aria-hidden /> {t('automation.approval.approve')}
        </Button>
        <Button variant="danger-ghost" disabled={pending} onClick={() => void decide('reject')}>
          <X aria-hidden /> {t('automation.approval.reject')}
        </Button>
      </div>
    </div>
  );
}
