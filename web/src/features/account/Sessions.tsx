import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Monitor, Smartphone } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { endSession, sessionsQuery } from '@/api/account';
import type { Session } from '@/api/types';
import { ProblemState } from '@/feedback/ProblemState';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { useNow, useReader } from '@/reader/context';
import { formatDateTime, formatRelative } from '@/reader/format';
import { Badge } from '@/ui/badge';
import { Button } from '@/ui/button';
import { Skeleton } from '@/ui/skeleton';
import { deviceName, isHandheld } from './device';

function Moment({ at }: { at: string }) {
  const { language, timeZone } = useReader();
  const now = useNow();
  return (
    <time dateTime={at} title={formatDateTime(at, language, timeZone)}>
      {formatRelative(at, now, language, timeZone)}
    </time>
  );
}

interface SessionRowProps {
  session: Session;
  onEnd: () => void;
  ending: boolean;
}

function SessionRow({ session, onEnd, ending }: SessionRowProps) {
  const { t } = useTranslation();
  const Device = isHandheld(session.user_agent) ? Smartphone : Monitor;
  const name = deviceName(session.user_agent) ?? t('account.unknown_device');
  return (
    <li className="flex items-center gap-3 border-b py-2.5 last:border-b-0">
      <Device aria-hidden className="size-5 shrink-0 text-muted-foreground" />
      <div className="min-w-0 flex-1">
        <p className="flex items-center gap-2 font-medium">
          <span className="truncate">{name}</span>
          {session.current && <Badge color="green">{t('account.this_device')}</Badge>}
        </p>
        <p className="text-muted-foreground">
          {session.address && `${session.address} · `}
          {session.created_at && (
            <>
              {t('account.signed_in')} <Moment at={session.created_at} />
            </>
          )}
          {session.last_seen_at && (
            <>
              {' · '}
              {t('account.last_seen')} <Moment at={session.last_seen_at} />
            </>
          )}
        </p>
      </div>
      {!session.current && (
        <Button
          variant="outline"
          disabled={ending}
          onClick={onEnd}
          aria-label={t('account.end_session_of', { name })}
        >
          {t('account.end_session')}
        </Button>
      )}
    </li>
  );
}

export function Sessions() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data: sessions, error, isError, refetch } = useQuery(sessionsQuery);
  const end = useMutation({
    mutationFn: endSession,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
      told(t('account.session_ended'));
    },
    onError: (problem) => failed(t('account.session_not_ended'), problemText(problem, t)),
  });
  return (
    <section aria-labelledby="sessions" className="mt-8">
      <h2 id="sessions" className="font-semibold">
        {t('account.sessions')}
      </h2>
      <p className="text-muted-foreground">{t('account.sessions_help')}</p>
      {isError && !sessions ? (
        <ProblemState error={error} onRetry={() => void refetch()} />
      ) : (
        <ul className="mt-2">
          {sessions?.map((session) => (
            <SessionRow
              key={session.id}
              session={session}
              ending={end.isPending && end.variables === session.id}
              onEnd={() => end.mutate(session.id)}
            />
          )) ?? [1, 2].map((row) => <Skeleton key={row} className="my-3 h-10" />)}
        </ul>
      )}
    </section>
  );
}
