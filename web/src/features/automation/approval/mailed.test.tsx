import { screen } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { expect, it } from 'vitest';
import { openApp, startServer } from '@/test/app';

const QUESTION = {
  title: 'Pay the invoice?',
  message: 'It is due on Friday.',
  subject: 'Invoice 12',
  status: 'PENDING',
  stage: 2,
  stages: 5,
  due_at: null,
  requester: 'Grace Koumba',
  person: 'Awa Ndong',
  voice: 'Sylvie Obame',
  open: true,
};

it('a mail is answered without a session: what opens it decides nothing, a click does, once', async () => {
  const { server } = startServer({ signedIn: false });
  const said: unknown[] = [];
  let looked = 0;
  server.use(
    http.get('*/api/v1/decisions/:token', () => {
      looked += 1;
      return HttpResponse.json(QUESTION);
    }),
    http.post('*/api/v1/decisions/:token', async ({ request, params }) => {
      said.push([params.token, await request.json()]);
      return HttpResponse.json({ ...QUESTION, status: 'APPROVED', open: false });
    }),
  );
  const { user } = openApp('/decide/00ff');
  expect(await screen.findByRole('heading', { name: 'Pay the invoice?' })).toBeVisible();
  expect(screen.getByText('Step 2 of 5')).toBeVisible();
  expect(screen.getByText('Awa Ndong · On behalf of Sylvie Obame')).toBeVisible();
  expect(screen.queryByRole('heading', { name: 'Log in' })).toBeNull();
  expect(looked).toBe(1);
  expect(said).toEqual([]);
  await user.type(screen.getByLabelText('Comment'), 'From the train');
  await user.click(screen.getByRole('button', { name: 'Approve' }));
  expect(await screen.findByRole('status')).toHaveTextContent('There is nothing left to decide here.');
  expect(screen.queryByRole('button', { name: 'Approve' })).toBeNull();
  expect(said).toEqual([['00ff', { decision: 'approve', comment: 'From the train' }]]);
});

it('a link that leads nowhere says so', async () => {
  const { server } = startServer({ signedIn: false });
  server.use(
    http.get('*/api/v1/decisions/:token', () =>
      HttpResponse.json({ type: 'x', title: 'Not found', status: 404 }, { status: 404 }),
    ),
  );
  openApp('/decide/nothing');
  expect(await screen.findByRole('alert')).toHaveTextContent('This link leads nowhere');
});
