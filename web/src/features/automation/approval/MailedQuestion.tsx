/**
 * What a mail asks, for whoever opens its link, without a session. Opening it decides nothing: only the
 * answer, sent by a person's click, does.
 */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Check, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { decideByMail, mailedQuestionQuery, type MailedQuestion as Question } from '@/api/workflows';
import { problemText } from '@/feedback/problem-text';
import { Button } from '@/ui/button';
import { Textarea } from '@/ui/input';
import { Skeleton } from '@/ui/skeleton';
import { ErrorText } from '../rule/errors';
import { Labelled } from '../rule/Labelled';

function Facts({ question }: { question: Question }) {
  const { t } = useTranslation();
  const person =
    question.voice === null
      ? question.person
      : `${question.person ?? ''} · ${t('automation.approval.for', { name: question.voice })}`;
  const facts: [string, string | null][] = [
    [t('automation.mailed.about'), question.subject],
    [t('automation.mailed.requester'), question.requester],
    [t('automation.mailed.you'), person],
  ];
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
      {facts
        .filter(([, value]) => value)
        .map(([term, value]) => (
          <div key={term} className="contents">
            <dt className="text-muted-foreground">{term}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Answer({ token }: { token: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [comment, setComment] = useState('');
  const [problem, setProblem] = useState<string>();
  const [pending, setPending] = useState(false);
  const decide = async (decision: 'approve' | 'reject') => {
    setPending(true);
    setProblem(undefined);
    try {
      const answered = await decideByMail(token, decision, comment);
      client.setQueryData(mailedQuestionQuery(token).queryKey, answered);
    } catch (error) {
      setProblem(problemText(error, t));
    } finally {
      setPending(false);
    }
  };
  return (
    <div className="flex flex-col gap-3">
      <Labelled label={t('automation.approval.comment')}>
        {(control) => (
          <Textarea
            {...control}
            rows={3}
            maxLength={4000}
            value={comment}
            onChange={({ target }) => setComment(target.value)}
          />
        )}
      </Labelled>
      <ErrorText text={problem} />
      <div className="flex flex-wrap gap-2">
        <Button variant="primary" size="large" disabled={pending} onClick={() => void decide('approve')}>
          <Check aria-hidden /> {t('automation.approval.approve')}
        </Button>
        <Button variant="danger-ghost" size="large" disabled={pending} onClick={() => void decide('reject')}>
          <X aria-hidden /> {t('automation.approval.reject')}
        </Button>
      </div>
    </div>
  );
}

export function MailedQuestion({ token }: { token: string }) {
  const { t } = useTranslation();
  const { data, isError } = useQuery(mailedQuestionQuery(token));
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center bg-surface p-4">
      <div className="flex w-full max-w-lg flex-col gap-4 rounded-lg border bg-background p-6">
        <div className="flex items-center gap-2.5">
          <img src="/favicon.svg" alt="" className="size-7" />
          <span className="text-base font-semibold">OpsFlux</span>
          {data?.stages && data.stages > 1 && (
            <span className="ml-auto text-muted-foreground">
              {t('automation.approval.stage', { step: data.stage, of: data.stages })}
            </span>
          )}
        </div>
        {!data && !isError && <Skeleton className="h-40 rounded-md" />}
        {isError && !data && <p role="alert">{t('automation.mailed.gone')}</p>}
        {data && (
          <>
            <h1 className="text-lg font-semibold break-words">{data.title}</h1>
            {data.message && <p className="break-words whitespace-pre-wrap">{data.message}</p>}
            <Facts question={data} />
            {data.open ? <Answer token={token} /> : <p role="status">{t('automation.mailed.closed')}</p>}
          </>
        )}
      </div>
    </main>
  );
}
