// The record page: nothing is sent before Save, nothing typed is lost, links show at both ends.
import { expect, test } from '@playwright/test';
import { toasts } from './checks';
import { ADMIN, Api, signIn, WORDS } from './people';

test.use({ locale: 'en-GB' });
const words = WORDS['en-GB'];

test('changes wait for Save, survive a reload, go in one request, and leaving them behind asks', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Crane camera is blind' });
  await signIn(page, ADMIN, `/r/tickets/${ticket.number}`);
  const writes: string[] = [];
  page.on('request', (one) => one.method() !== 'GET' && writes.push(one.method()));
  await page.getByRole('button', { name: words.record.edit_all }).click();
  await page.getByRole('combobox', { name: /^Priority/ }).selectOption({ label: 'Critical' });
  await page.getByRole('combobox', { name: /^Type/ }).selectOption({ label: 'Problem' });
  await page.getByLabel('Solution').fill('Clean the lens.');
  const bar = page.getByText(words.record.changes_other.replace('{{count}}', '3'));
  await expect(bar).toBeVisible();
  expect(writes).toEqual([]);

  await page.reload();
  await expect(bar).toBeVisible();
  await page.getByRole('navigation').getByRole('link', { name: 'Tickets' }).first().click();
  const question = page.getByRole('dialog').or(page.getByRole('alertdialog'));
  await expect(question).toContainText(words.record.leave_title);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('heading', { name: 'Crane camera is blind' })).toBeVisible();

  await page.keyboard.press('Control+s');
  await expect(toasts(page)).toHaveCount(1);
  await expect(toasts(page)).toContainText(words.record.saved);
  await expect(bar).toHaveCount(0);
  expect(writes).toEqual(['PATCH']);
  const [saved] = await api.list(`/tickets?id=${ticket.id}`);
  expect(saved).toMatchObject({ priority: 'critical', kind: 'problem', resolution: 'Clean the lens.' });
});

test('a call that fails shows an error and changes nothing on screen', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Compressor leaks' });
  const filter = { field: 'id', op: 'eq', value: ticket.id };
  await signIn(page, ADMIN, `/r/tickets?filter=${encodeURIComponent(JSON.stringify(filter))}`);
  const row = page.getByRole('row').filter({ hasText: 'Compressor leaks' });
  await row.getByRole('gridcell').first().click();
  await page.route('**/api/v1/tickets/**', (route) =>
    route.request().method() === 'GET' ? route.fallback() : route.abort(),
  );
  const bar = page.getByRole('region', { name: words.bulk.bar });
  await bar.getByRole('button', { name: words.action.delete }).click();
  await expect(toasts(page)).toHaveCount(1);
  await expect(toasts(page)).toContainText(words.bulk.not_deleted_one.replace('{{count}}', '1'));
  await expect(row).toHaveAttribute('aria-selected', 'true');

  await page.goto(`/r/tickets/${ticket.number}`);
  await page.getByRole('button', { name: words.record.edit_all }).click();
  await page.getByRole('combobox', { name: /^Priority/ }).selectOption({ label: 'High' });
  await page.getByRole('button', { name: words.action.save, exact: true }).click();
  await expect(page.getByRole('alert').filter({ hasText: words.problem.offline })).toBeVisible();
  await expect(page.getByText(words.record.changes_one.replace('{{count}}', '1'))).toBeVisible();
  await expect(page.getByRole('combobox', { name: /^Priority/ })).toHaveValue('high');
  await page.unroute('**/api/v1/tickets/**');
  await page.getByRole('button', { name: words.action.save, exact: true }).click();
  await expect(toasts(page).filter({ hasText: words.record.saved })).toBeVisible();
});

test('every link shows at both ends: a site lists its assets, a person assets and tickets', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const [person] = await api.list('/users?email=grace.koumba@ges-energie.example');
  const [site] = await api.list('/sites?sort=name&limit=1');
  const asset = await api.create('assets', {
    name: 'E2E-TABLET-01',
    serial_number: 'E2E-0001',
    user: person?.id,
    site: site?.id,
  });
  await api.create('tickets', {
    title: 'Tablet screen flickers',
    requester: person?.id,
    impacted_assets: [asset.id],
  });
  await signIn(page, ADMIN, `/r/assets/${asset.number}`);
  const related = (name: string) => page.getByRole('region', { name, exact: true });
  await expect(related('Tickets').getByRole('link', { name: 'Tablet screen flickers' })).toBeVisible();

  await page.goto(`/r/users/${person?.id}`);
  await expect(related('Assets').getByRole('link', { name: 'E2E-TABLET-01' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Tablet screen flickers' })).toBeVisible();

  const filter = { all: [{ field: 'site', op: 'eq', value: site?.id }] };
  await page.goto(`/r/sites/${site?.id}`);
  await expect(related('Assets').getByRole('link').first()).toBeVisible();
  await page.goto(`/r/assets?q=E2E-TABLET-01&filter=${encodeURIComponent(JSON.stringify(filter))}`);
  await expect(page.getByRole('row').filter({ hasText: 'E2E-TABLET-01' })).toBeVisible();
});
