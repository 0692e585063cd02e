/** In place of what could not be read: what happened, and the way to try again. */
import { CircleAlert, CloudOff, SearchX } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { isProblem } from '@/api/problem';
import { Button } from '@/ui/button';
import { EmptyState } from '@/ui/empty-state';
import { problemText } from './problem-text';

interface ProblemStateProps {
  error: unknown;
  onRetry?: () => void;
  actions?: ReactNode;
}

export function ProblemState({ error, onRetry, actions }: ProblemStateProps) {
  const { t } = useTranslation();
  const status = isProblem(error) ? error.status : null;
  const missing = status === 404;
  const title = missing
    ? t('problem.missing_title')
    : status === 403
      ? t('problem.forbidden_title')
      : status === 0
        ? t('problem.offline_title')
        : t('problem.title');
  const requestId = isProblem(error) ? error.document.request_id : undefined;
  return (
    <div role="alert">
      <EmptyState
        icon={
          missing ? (
            <SearchX aria-hidden />
          ) : status === 0 ? (
            <CloudOff aria-hidden />
          ) : (
            <CircleAlert aria-hidden />
          )
        }
        title={<h2>{title}</h2>}
        actions={
          <>
            {onRetry && !missing && (
              <Button variant="primary" onClick={onRetry}>
                {t('action.retry')}
              </Button>
            )}
            {actions}
          </>
        }
      >
        <p>{problemText(error, t)}</p>
        {requestId && <p className="mt-1 text-xs">{t('problem.request_id', { id: requestId })}</p>}
      </EmptyState>
    </div>
  );
}
