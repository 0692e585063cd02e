import { QueryClient } from '@tanstack/react-query';
import { isProblem } from './problem';

/** Only what may heal by itself is tried again: no network, an overloaded or restarting server. */
function mayHeal(error: unknown): boolean {
  return isProblem(error) && (error.isOffline || error.status === 429 || error.status >= 500);
}

function retryDelay(attempt: number, error: unknown): number {
  const asked = isProblem(error) ? error.retryAfter : null;
  return asked === null ? Math.min(1000 * 2 ** attempt, 15_000) : asked * 1000;
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && mayHeal(error),
      retryDelay,
      staleTime: 30_000,
      refetchOnWindowFocus: false,
    },
    mutations: { retry: false },
  },
});
