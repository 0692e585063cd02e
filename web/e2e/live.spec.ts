// What one person changes, another sees as it happens.
import { expect, test } from '@playwright/test';
import { ADMIN, Api, signIn, TECHNICIAN, WORDS, windowOf } from './people';

test.use({ locale: 'en-GB' });

test('a change reaches another browser within a second, which asks for nothing until it is told', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Live, before' });
  const filter = { field: 'id', op: 'eq', value: ticket.id };
  await signIn(page, ADMIN, `/r/tickets?filter=${encodeURIComponent(JSON.stringify(filter))}`);
  const row = page.getByRole('row').nth(1);
  await expect(row).toContainText('Live, before');
  await page.waitForLoadState('load');
  const asked: string[] = [];
  page.on('request', (one) => asked.push(one.url()));
  await expect(async () => {
    // A quiet second: nothing is polled for.
    const before = asked.length;
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_000)));
    expect(asked.length).toBe(before);
  }).toPass();
  asked.length = 0;
  await api.change('tickets', ticket.id, { title: 'Live, after', priority: 'critical' });
  await expect(row).toContainText('Live, after', { timeout: 1_000 });
  await expect(row).toContainText('Critical');
  // One read, of that row alone, because the stream said so.
  expect(asked.map((url) => decodeURIComponent(url)).filter((url) => !url.includes(ticket.id))).toEqual([]);
  expect(asked).toHaveLength(1);
});

test('a record that is open shows who else changes it, and a new row appears in the list', async ({
  page,
  browser,
  request,
}) => {
  const words = WORDS['en-GB'];
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Shared lathe stops' });
  await signIn(page, ADMIN, `/r/tickets/${ticket.number}`);
  await expect(page.getByRole('heading', { name: 'Shared lathe stops' })).toBeVisible();
  const other = await windowOf(browser, ADMIN, `/r/tickets/${ticket.number}`);
  await other
    .getByRole('group', { name: words.record.move_to })
    .getByRole('button', { name: 'To do' })
    .click();
  await expect(page.getByRole('article', { name: 'Shared lathe stops' })).toContainText('To do');
  await other.goto('/r/tickets');
  await expect(other.getByRole('row').nth(1)).toBeVisible();
  await api.create('tickets', { title: 'Arrived just now' });
  await expect(other.getByRole('row').filter({ hasText: 'Arrived just now' })).toBeVisible();
  await other.context().close();
});

test('who may no longer see a record loses it from the screen', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  const [technician] = await api.list(`/users?email=${TECHNICIAN.email}`);
  const ticket = await api.create('tickets', { title: 'Handed elsewhere', assignee: technician?.id });
  const filter = { field: 'id', op: 'eq', value: ticket.id };
  await signIn(page, TECHNICIAN, `/r/tickets?filter=${encodeURIComponent(JSON.stringify(filter))}`);
  await expect(page.getByRole('row').filter({ hasText: 'Handed elsewhere' })).toBeVisible();
  await api.change('tickets', ticket.id, { assignee: null });
  await expect(page.getByRole('row').filter({ hasText: 'Handed elsewhere' })).toHaveCount(0);
});
