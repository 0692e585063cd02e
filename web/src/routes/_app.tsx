/** Everything behind the log-in. Whoever is not logged in sees the log-in at the very address he asked for. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createFileRoute, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { appMetaQuery } from '@/api/meta';
import { session, useSession } from '@/api/session';
import { AUTOMATION } from '@/features/automation/parts';
import { CRM } from '@/features/crm/parts';
import { KPI_PARTS } from '@/features/kpi/parts';
import { LoginPage } from '@/features/login/LoginPage';
import { ProblemState } from '@/feedback/ProblemState';
import { ReaderProvider } from '@/reader/context';
import { useLiveChanges } from '@/records/live/live';
import { OwnPartsProvider } from '@/records/record/own-parts';
import { AppFrame } from '@/shell/AppFrame';
import { useAdoptProfile } from '@/shell/profile';

export const Route = createFileRoute('/_app')({ component: App });

/** What entities bring to their pages, by name. */
const OWN_PARTS = { ...AUTOMATION, ...CRM, ...KPI_PARTS };

function App() {
  const client = useQueryClient();
  const router = useRouter();
  const state = useSession();
  useEffect(() => {
    if (state === 'out') {
      // Nothing that the last person saw may stay in memory.
      client.clear();
    }
  }, [state, client]);
  if (state === 'out') {
    return (
      <LoginPage
        onSignedIn={() => {
          client.clear();
          session.started();
          void router.invalidate();
        }}
      />
    );
  }
  return <SignedIn />;
}

function SignedIn() {
  const { data: app, error, isError, refetch } = useQuery(appMetaQuery);
  useAdoptProfile(app);
  useLiveChanges(app !== undefined);
  if (isError && !app) {
    return (
      <main className="grid min-h-dvh place-items-center">
        <ProblemState error={error} onRetry={() => void refetch()} />
      </main>
    );
  }
  return (
    <ReaderProvider timeZone={app?.user.time_zone ?? null}>
      <OwnPartsProvider value={OWN_PARTS}>
        <AppFrame app={app} />
      </OwnPartsProvider>
    </ReaderProvider>
  );
}
