import { createRouter, RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/query-client';
import { NotFoundPage } from './feedback/NotFoundPage';
import { ProblemState } from './feedback/ProblemState';
import { startLanguage } from './reader/i18n';
import { routeTree } from './routeTree.gen';
import { watchSystemTheme } from './shell/theme';
import '@fontsource-variable/inter';
import './styles.css';

const router = createRouter({
  routeTree,
  context: { queryClient },
  defaultPreload: 'intent',
  // Data lives in the query cache; the router must not keep a second, older copy.
  defaultPreloadStaleTime: 0,
  defaultErrorComponent: ({ error, reset }) => <ProblemState error={error} onRetry={reset} />,
  defaultNotFoundComponent: NotFoundPage,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

async function start(root: HTMLElement): Promise<void> {
  if (import.meta.env.MODE === 'mock') {
    const { startMockServer } = await import('./test/browser');
    await startMockServer();
  }
  watchSystemTheme();
  await startLanguage();
  createRoot(root).render(
    <StrictMode>
      <RouterProvider router={router} />
    </StrictMode>,
  );
}

const root = document.getElementById('root');
if (root) {
  void start(root);
}
