// A rule is taken from a template in one click; a step that failed is mended by a person; a deputy decides.
import { expect, test } from '@playwright/test';
import { expectNoBarriers, expectNothingBeyondTheEdge, toasts } from './checks';
import { ADMIN, Api, MANAGER, signIn, TECHNICIAN, WORDS, windowOf } from './people';

test.use({ locale: 'fr-FR' });

const words = WORDS['fr-FR'];
const { automation } = words;

test('a template is taken by mouse or keyboard, and its draft opens', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  await signIn(page, ADMIN, '/r/workflows');
  const open = page.getByRole('button', { name: automation.ready.title });
  await open.click();
  const dialog = page.getByRole('dialog', { name: automation.ready.title });
  await expect(dialog.getByRole('button', { name: 'Clôture automatique' })).toBeVisible();
  await expectNoBarriers(page);
  await dialog.getByRole('button', { name: 'Responsable et HSE en parallèle' }).click();
  await expect(page).toHaveURL(/\/r\/workflows\/[0-9a-f-]{36}/);
  await expect(page.getByRole('heading', { name: 'Responsable et HSE en parallèle' }).first()).toBeVisible();
  const [taken] = await api.list(`/workflows?name=${encodeURIComponent('Responsable et HSE en parallèle')}`);
  expect(taken).toMatchObject({ status: 'DRAFT', format: 'opsflux.flow/1' });

  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('/r/workflows');
  await open.focus();
  await page.keyboard.press('Enter');
  const closing = dialog.getByRole('button', { name: 'Clôture automatique' });
  await expect(closing).toBeVisible();
  await expectNothingBeyondTheEdge(page);
  await closing.focus();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/r\/workflows\/[0-9a-f-]{36}/);
});

test('a step that failed is done again, or left out, and where it stands is seen', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Pont roulant arrêté' });
  const rule = await api.create('workflows', {
    name: 'À réparer',
    status: 'ACTIVE',
    trigger: { type: 'manual', entity: 'ticket' },
    actions: [
      {
        type: 'send_notification',
        id: 'tell',
        params: { to: { group: 'Équipe inconnue' }, title: 'Voir {{ title }}' },
      },
      { type: 'comment', params: { body: 'Suite' } },
    ],
  });
  const run = await api.create(`workflows/${rule.id}/execute`, { record_id: ticket.id });
  await signIn(page, ADMIN, `/r/executions/${run.id}`);
  await expect(page.getByText('Échouée').first()).toBeVisible();
  const retry = page.getByRole('button', { name: automation.execution.retry });
  await expect(retry).toBeVisible();
  await expectNoBarriers(page);
  await retry.click();
  await expect(toasts(page).filter({ hasText: automation.execution.retry_done })).toBeVisible();
  await expect(retry).toBeVisible();
  await page.getByRole('button', { name: automation.execution.skip }).click();
  const sure = page.getByRole('alertdialog', { name: automation.execution.skip_title });
  await sure.getByRole('button', { name: automation.execution.skip }).click();
  await expect(page.getByText('Réussie').first()).toBeVisible();
  await expect(retry).toHaveCount(0);
  const steps = page.getByRole('region', { name: automation.execution.steps, exact: true });
  await expect(steps.getByText('Laissée de côté')).toBeVisible();
  const comments = await api.list(`/tickets/${ticket.number}/comments`);
  expect(comments).toMatchObject([{ body: 'Suite' }]);
});

test('a deputy finds the question of whom he stands in for, with where it stands', async ({
  browser,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const people = await api.list('/users?limit=200');
  const idOf = (email: string) => people.find((person) => person.email === email)?.id;
  const manager = await Api.as(request, MANAGER);
  await manager.create('delegations', {
    deputy: idOf(TECHNICIAN.email),
    starts_at: '2020-01-01T00:00:00Z',
    ends_at: '2099-01-01T00:00:00Z',
    reason: 'Congés',
  });
  const rule = await api.create('workflows', {
    name: 'Congés du responsable',
    status: 'ACTIVE',
    trigger: { type: 'manual', entity: 'ticket' },
    actions: [
      { type: 'request_approval', id: 'ask', params: { approvers: [MANAGER.email] } },
      { type: 'comment', params: { body: '{{ steps.ask.decision }}' } },
    ],
  });
  const ticket = await api.create('tickets', { title: 'Remplacer la sonde' });
  await api.create(`workflows/${rule.id}/execute`, { record_id: ticket.id });
  const deputy = await windowOf(browser, TECHNICIAN, '/r/approvals', 'fr-FR');
  const asked = deputy
    .getByRole('region', { name: automation.inbox.mine })
    .getByRole('listitem')
    .filter({ hasText: 'Remplacer la sonde' });
  await expect(asked.getByText('Étape 1 sur 2')).toBeVisible();
  await asked.getByRole('button', { name: automation.approval.approve }).click();
  await expect(asked).toHaveCount(0);
  const approvals = await api.list(`/approvals?workflow=${rule.id}`);
  const votes = await api.list(`/approvals/${approvals[0]?.id}/votes`);
  expect(votes).toMatchObject([{ user: idOf(TECHNICIAN.email), voice: idOf(MANAGER.email) }]);
  await deputy.context().close();
});
