/** The in-memory server of `npm run dev:mock`: the interface without a backend, for looking at it. */
import { setupWorker } from 'msw/browser';
import { handlers } from './handlers';

export async function startMockServer(): Promise<void> {
  await setupWorker(...handlers).start({ onUnhandledRequest: 'bypass', quiet: true });
}
