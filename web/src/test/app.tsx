/** The whole interface in a test: an address, a fake server, and what a person sees. */
import { QueryClient } from '@tanstack/react-query';
import { createMemoryHistory, createRouter, RouterProvider } from '@tanstack/react-router';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { setupServer } from 'msw/node';
import { onTestFinished } from 'vitest';
import { session } from '@/api/session';
import { routeTree } from '@/routeTree.gen';
import { type FakeOptions, FakeServer } from './fake/server';

/** A moment that stays, so that the same records are made in each run. */
const NOW = Date.parse('2026-05-04T09:00:00Z');

export function startServer(options: FakeOptions = {}) {
  const fake = new FakeServer({ tickets: 60, now: NOW, ...options });
  const server = setupServer(...fake.handlers);
  server.listen({ onUnhandledRequest: 'error' });
  onTestFinished(() => server.close());
  return { fake, server };
}

export function openApp(address: string) {
  session.started();
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 30_000 } } });
  const history = createMemoryHistory({ initialEntries: [address] });
  const router = createRouter({ routeTree, history, context: { queryClient } });
  const user = userEvent.setup();
  const view = render(<RouterProvider router={router as never} />);
  onTestFinished(() => queryClient.clear());
  return {
    ...view,
    user,
    router,
    queryClient,
    search: () => router.state.location.search as Record<string, unknown>,
  };
}
