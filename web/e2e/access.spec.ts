// What roles give: the matrix, what a change would do before it is done, and another's eyes.
import { expect, test } from '@playwright/test';
import { expectNoBarriers } from './checks';
import { ADMIN, Api, REQUESTER, signIn, WORDS } from './people';

test.use({ locale: 'en-GB' });
const words = WORDS['en-GB'];

test('an administrator changes a role in the matrix after reading what it does', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const role = await api.create('roles', { name: 'hse_south', label: 'HSE of the south' });
  const [grace] = await api.list(`/users?email=${REQUESTER.email}`);
  await api.create('memberships', { user: grace?.id, role: role.id, company: grace?.company });
  await signIn(page, ADMIN, '/');
  await page
    .getByRole('button', { name: words.user.menu.replace('{{name}}', '') })
    .last()
    .click();
  await page.getByRole('menuitem', { name: words.access.title }).click();
  await page.getByLabel(words.access.role, { exact: true }).selectOption('hse_south');
  await page.getByLabel(words.access.search).fill('site');
  const cell = (scope: string) =>
    page.getByRole('button', {
      name: words.access.cell
        .replace('{{action}}', words.access.action_view)
        .replace('{{label}}', 'Sites')
        .replace('{{scope}}', scope),
    });
  await expectNoBarriers(page);
  await cell('–').click();
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText(words.access.none);
  await dialog
    .getByLabel(words.access.change.replace('{{role}}', 'hse_south'))
    .selectOption({ label: words.access.scope_company });
  await expect(dialog.getByRole('status')).toContainText(words.access.gives);
  await expect(dialog.getByRole('status')).toContainText(words.access.people_one);
  await expectNoBarriers(page);
  await page.screenshot({ path: 'test-results/difference.png' });
  await dialog.getByRole('button', { name: words.access.save }).click();
  await expect(cell(words.access.scope_company)).toBeVisible();
  await page.getByLabel(words.access.search).fill('');
  await page.getByLabel(words.access.role, { exact: true }).selectOption({ index: 1 });
  await page.screenshot({ path: 'test-results/matrix.png' });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: 'test-results/matrix-phone-dark.png' });
  const saved = await api.list(`/role-permissions?role=${role.id}`);
  expect(saved.map(({ app, action, scope }) => [app, action, scope])).toEqual([['sites', 'view', 'company']]);
});

test('an administrator sees with the eyes of somebody else, changes nothing, and leaves', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Nothing of hers' });
  await signIn(page, ADMIN, `/r/tickets/${ticket.number}`);
  await page.getByRole('button', { name: words.grid.more }).last().click();
  await page.getByRole('menuitem', { name: words.rights.open }).click();
  const why = page.getByRole('dialog', { name: words.rights.title });
  await why.getByRole('combobox', { name: words.rights.person }).fill('koumba');
  await page.getByRole('option', { name: /Grâce Koumba/ }).click();
  await why.getByRole('button', { name: words.viewing.begin }).click();
  const banner = page.getByRole('region', { name: words.viewing.title });
  await expect(banner).toContainText('Grâce Koumba');
  await expectNoBarriers(page);
  await page.screenshot({ path: 'test-results/viewing.png' });
  await page.goto(`/r/tickets/${ticket.number}`);
  await expect(page.getByRole('heading', { name: 'Nothing of hers' })).toHaveCount(0);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: 'test-results/viewing-phone.png' });
  await banner.getByRole('button', { name: words.viewing.leave }).click();
  await expect(banner).toHaveCount(0);
  await page.goto(`/r/tickets/${ticket.number}`);
  await expect(page.getByRole('heading', { name: 'Nothing of hers' })).toBeVisible();
});

test('whoever works in two companies chooses one, and sees that one', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  const companies = await api.list('/companies');
  await api.create('companies', { name: 'Cabinda Marine', code: 'cabinda' });
  await api.create('tickets', { title: 'Of the first company', company: companies[0]?.id });
  await signIn(page, ADMIN, '/r/tickets');
  await page
    .getByRole('button', { name: words.company.switch.replace('{{name}}', words.company.all) })
    .click();
  await page.getByRole('menuitemradio', { name: 'Cabinda Marine' }).click();
  await page.goto('/r/tickets');
  const switched = words.company.switch.replace('{{name}}', 'Cabinda Marine');
  await expect(page.getByRole('button', { name: switched })).toBeVisible();
  await expect(page.getByText('Of the first company')).toHaveCount(0);
  await page.screenshot({ path: 'test-results/company.png' });
  // It is remembered, and left again.
  await page.reload();
  await page.getByRole('button', { name: switched }).click();
  await page.getByRole('menuitemradio', { name: words.company.all }).click();
  await page.goto('/r/tickets');
  await expect(page.getByText('Of the first company').first()).toBeVisible();
});
