import { HttpResponse, http } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { api, collections } from './client';
import { isProblem, type Problem } from './problem';
import { session } from './session';

const server = setupServer();

beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
afterEach(() => {
  server.resetHandlers();
  // biome-ignore lint/suspicious/noDocumentCookie: the cookie the server sets is what is tested
  document.cookie = 'opsflux_csrf=; max-age=0';
  session.started();
});
afterAll(() => server.close());

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isProblem(error)) {
    throw new Error(`expected a problem, got ${String(error)}`);
  }
  return error;
}

const unauthenticated = () =>
  HttpResponse.json({ type: '/problems/unauthenticated', title: 'x' }, { status: 401 });

describe('a writing request', () => {
  it('repeats the CSRF cookie in its header, a reading one does not', async () => {
    // biome-ignore lint/suspicious/noDocumentCookie: as above
    document.cookie = 'opsflux_csrf=a%2Fb';
    const seen: (string | null)[] = [];
    server.use(
      http.all('*/api/v1/tickets', ({ request }) => {
        seen.push(request.headers.get('X-CSRF-Token'));
        return HttpResponse.json({});
      }),
    );
    await collections.get('/tickets');
    await collections.post('/tickets', {});
    expect(seen).toEqual([null, 'a/b']);
  });

  it('carries an idempotency key when it is a POST: its own one, or the one that was given', async () => {
    const keys: (string | null)[] = [];
    server.use(
      http.all('*/api/v1/tickets', ({ request }) => {
        keys.push(request.headers.get('Idempotency-Key'));
        return HttpResponse.json({});
      }),
    );
    await collections.post('/tickets', {});
    await collections.post('/tickets', {});
    await collections.post('/tickets', {}, { idempotencyKey: 'mine' });
    await collections.patch('/tickets', {});
    const [first, second, given, patch] = keys;
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(second).not.toBe(first);
    expect([given, patch]).toEqual(['mine', null]);
  });
});

describe('an operation of the document', () => {
  it('is asked for with the parts of its path, its query and its body in their places', async () => {
    const seen: string[] = [];
    server.use(
      http.all('*/api/v1/*', async ({ request }) => {
        const { pathname, search } = new URL(request.url);
        seen.push([request.method, pathname + search, await request.text()].join(' ').trim());
        return HttpResponse.json({ items: [] });
      }),
    );
    await api.get('/search', { query: { q: 'réseau', limit: 5 } });
    await api.patch('/comments/{id}', { path: { id: 'a/b' }, body: { body: 'Hello' } });
    expect(seen).toEqual([
      'GET /api/v1/search?q=r%C3%A9seau&limit=5',
      'PATCH /api/v1/comments/a%2Fb {"body":"Hello"}',
    ]);
  });
});

describe('a session that has run out', () => {
  it('is renewed once for all requests that meet its end, and each is sent again', async () => {
    let renewed = false;
    let renewals = 0;
    const keys: (string | null)[] = [];
    server.use(
      http.post('*/api/v1/auth/refresh', () => {
        renewals += 1;
        renewed = true;
        // biome-ignore lint/suspicious/noDocumentCookie: as above
        document.cookie = 'opsflux_csrf=new';
        return HttpResponse.json({});
      }),
      http.get('*/api/v1/tickets', () => (renewed ? HttpResponse.json({ ok: true }) : unauthenticated())),
      http.post('*/api/v1/tickets', ({ request }) => {
        keys.push(request.headers.get('Idempotency-Key'), request.headers.get('X-CSRF-Token'));
        return renewed ? HttpResponse.json({ ok: true }, { status: 201 }) : unauthenticated();
      }),
    );
    const answers = await Promise.all([
      collections.get('/tickets'),
      collections.get('/tickets'),
      collections.post('/tickets', {}),
    ]);
    expect(answers).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
    expect(renewals).toBe(1);
    const [firstKey, , secondKey, secondToken] = keys;
    expect(secondKey).toBe(firstKey);
    expect(secondToken).toBe('new');
  });

  it('that cannot be renewed ends: the request fails and the log-in is due', async () => {
    server.use(
      http.post('*/api/v1/auth/refresh', unauthenticated),
      http.get('*/api/v1/tickets', unauthenticated),
    );
    expect((await problemOf(collections.get('/tickets'))).status).toBe(401);
    expect(session.get()).toBe('out');
  });

  it('is not what a wrong password means', async () => {
    server.use(http.post('*/api/v1/auth/login', unauthenticated));
    expect(
      (await problemOf(api.post('/auth/login', { body: { email: 'awa', password: 'wrong' } }))).status,
    ).toBe(401);
    expect(session.get()).toBe('in');
  });
});

describe('a refused request', () => {
  it('throws the problem with its fields, its conflicts and its code', async () => {
    server.use(
      http.patch('*/api/v1/tickets/1', () =>
        HttpResponse.json(
          {
            type: 'https://opsflux.example/problems/confirmation_required',
            title: 'Confirm',
            detail: '3 sub-tickets are open.',
            status: 409,
            confirm_token: 'abc',
            errors: [{ field: 'title', code: 'required', message: 'Say something.' }],
          },
          { status: 409, headers: { 'Content-Type': 'application/problem+json', 'Retry-After': '7' } },
        ),
      ),
    );
    const problem = await problemOf(collections.patch('/tickets/1', {}));
    expect(problem.code).toBe('confirmation_required');
    expect(problem.message).toBe('3 sub-tickets are open.');
    expect(problem.document.confirm_token).toBe('abc');
    expect(problem.fieldErrors.map(({ field }) => field)).toEqual(['title']);
    expect(problem.retryAfter).toBe(7);
  });

  it('is a problem too when a proxy answered with a page instead of our server', async () => {
    server.use(
      http.get('*/api/v1/tickets', () =>
        HttpResponse.html('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' }),
      ),
    );
    const problem = await problemOf(collections.get('/tickets'));
    expect([problem.status, problem.message]).toEqual([502, 'Bad Gateway']);
  });

  it('is told apart from no answer at all', async () => {
    server.use(http.get('*/api/v1/tickets', () => HttpResponse.error()));
    expect((await problemOf(collections.get('/tickets'))).isOffline).toBe(true);
  });
});
