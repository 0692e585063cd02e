// Who may, and why: a role made in the interface, and what it gives explained on the record itself.
import { expect, test } from '@playwright/test';
import { expectNoBarriers } from './checks';
import { ADMIN, Api, REQUESTER, signIn, WORDS, windowOf } from './people';

test.use({ locale: 'en-GB' });
const words = WORDS['en-GB'];

test('an administrator makes a role, gives it, and reads on a record what it does', async ({
  page,
  browser,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const urgent = await api.create('tickets', { title: 'Gas smell at the tank', priority: 'critical' });
  const calm = await api.create('tickets', { title: 'New chair', priority: 'low' });
  await signIn(page, ADMIN, '/r/roles');
  await page
    .getByRole('button', { name: /create|new/i })
    .first()
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Code').fill('hse_watch');
  await dialog.getByLabel('Name', { exact: false }).first().fill('HSE watch');
  await dialog.getByRole('button', { name: /create/i }).click();
  await expect(dialog).toHaveCount(0);
  const [role] = await api.list('/roles?name=hse_watch');
  const condition = { field: 'priority', op: 'eq', value: 'critical' };
  await api.change('roles', String(role?.id), {
    permissions: [{ app: 'tickets', action: 'view', scope: 'company', condition }],
    field_rights: [{ app: 'tickets', field: 'description', right: 'mask' }],
  });
  const [grace] = await api.list(`/users?email=${REQUESTER.email}`);
  await api.create('memberships', { user: grace?.id, role: role?.id, company: grace?.company });

  await page.goto(`/r/tickets/${urgent.number}`);
  await page.getByRole('button', { name: words.grid.more }).last().click();
  await page.getByRole('menuitem', { name: words.rights.open }).click();
  const why = page.getByRole('dialog', { name: words.rights.title });
  await why.getByRole('combobox', { name: words.rights.person }).fill('koumba');
  await page.getByRole('option', { name: /Grâce Koumba/ }).click();
  await expect(why.getByRole('status')).toContainText(words.rights.allowed);
  await expect(why).toContainText(
    words.rights.reason_reaches
      .replace('{{role}}', 'hse_watch')
      .replace('{{scope}}', words.rights.scope_company),
  );
  await expectNoBarriers(page);
  await why.getByLabel(words.rights.action).selectOption('delete');
  await expect(why.getByRole('status')).toContainText(words.rights.refused);

  // What was said is what is.
  const theirs = await windowOf(browser, REQUESTER, `/r/tickets/${urgent.number}`);
  await expect(theirs.getByRole('heading', { name: 'Gas smell at the tank' })).toBeVisible();
  await theirs.goto(`/r/tickets/${calm.number}`);
  await expect(theirs.getByText('New chair')).toHaveCount(0);
  await theirs.context().close();
});
