/** The in-memory server of `npm run dev:mock`: the interface without a backend, for looking at it. */
import { setupWorker } from 'msw/browser';
import { FakeServer } from './fake/server';

export async function startMockServer(): Promise<void> {
  const query = new URLSearchParams(location.search);
  const server = new FakeServer({
    tickets: Number(sessionStorage.getItem('fake.tickets') ?? 12_000),
    signedIn: !query.has('signed-out') && sessionStorage.getItem('fake.signed-out') === null,
    latency: Number(sessionStorage.getItem('fake.latency') ?? 30),
  });
  Object.assign(globalThis, { fakeServer: server });
  await setupWorker(...server.handlers).start({ onUnhandledRequest: 'bypass', quiet: true });
}
