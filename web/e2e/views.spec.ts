// A list as one likes it: columns, several sorts, a name; kept in its address, and shared with others.
import { expect, test } from '@playwright/test';
import { ADMIN, Api, MANAGER, signIn, WORDS, windowOf } from './people';

test.use({ locale: 'en-GB' });
const words = WORDS['en-GB'];

test('columns and sorts are chosen, stand in the address, and are shared as a view', async ({
  page,
  browser,
}) => {
  await signIn(page, MANAGER, '/r/assets');
  const header = (name: string) => page.getByRole('columnheader', { name, exact: true });
  await expect(header('Serial number')).toBeVisible();
  await page.getByRole('button', { name: words.grid.display }).click();
  const display = page.getByRole('dialog', { name: words.grid.display });
  await display.getByRole('checkbox', { name: 'Serial number' }).click();
  await display.getByRole('combobox', { name: words.grid.add_sort }).selectOption({ label: 'Status' });
  await page.keyboard.press('Escape');
  await expect(header('Serial number')).toHaveCount(0);
  const sorted = page.getByRole('columnheader').and(page.locator('[aria-sort$=ending]'));
  await expect(sorted).toHaveCount(2);
  await page.reload();
  await expect(sorted).toHaveCount(2);
  await expect(header('Serial number')).toHaveCount(0);

  await page.getByRole('button', { name: words.view.save, exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(words.view.name).fill('What the yard needs');
  await dialog.getByRole('checkbox').check();
  await dialog.getByRole('button', { name: words.view.save }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('What the yard needs');

  const other = await windowOf(browser, ADMIN, '/r/assets');
  await other.getByRole('heading', { level: 1 }).getByRole('button').click();
  await other.getByRole('menuitemradio', { name: 'What the yard needs' }).click();
  await expect(other.getByRole('heading', { level: 1 })).toContainText('What the yard needs');
  await expect(other.getByRole('columnheader', { name: 'Serial number', exact: true })).toHaveCount(0);
  // Whose it is not cannot take it away.
  await other.getByRole('heading', { level: 1 }).getByRole('button').click();
  await expect(other.getByRole('menuitem', { name: words.view.delete })).toHaveCount(0);
  await other.context().close();
});

test('all that matches is selected, not only what has been read, and edited in one go', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const operations = Array.from({ length: 130 }, (_, at) => ({
    op: 'create',
    data: { title: `Inventory check ${at + 1}`, source: 'phone' },
  }));
  await api.post('/tickets/bulk', { operations });
  const filter = { field: 'title', op: 'starts_with', value: 'Inventory check' };
  await signIn(page, ADMIN, `/r/tickets?filter=${encodeURIComponent(JSON.stringify(filter))}`);
  await page.getByRole('columnheader').first().click();
  const bar = page.getByRole('region', { name: words.bulk.bar });
  await bar.getByRole('button', { name: words.bulk.select_matching.replace('{{total}}', '130') }).click();
  await expect(bar.getByRole('status')).toHaveText(words.bulk.selected_other.replace('{{count}}', '130'));
  await bar.getByRole('button', { name: words.action.edit }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(words.bulk.field).selectOption({ label: 'Priority' });
  await dialog.getByLabel(words.bulk.value).selectOption({ label: 'Low' });
  await dialog
    .getByRole('button', { name: words.bulk.edit_submit_other.replace('{{count}}', '130') })
    .click();
  await expect(dialog).toBeHidden();
  await expect(bar).toHaveCount(0);
  const low = await api.list(
    `/tickets?filter=${encodeURIComponent(JSON.stringify(filter))}&priority=low&limit=200&fields=title`,
  );
  expect(low).toHaveLength(130);
});
