// Everything by keyboard: the palette finds records, pages and acts; a list is worked like a spreadsheet.
import { expect, type Page, test } from '@playwright/test';
import { ADMIN, Api, signIn, WORDS } from './people';

test.use({ locale: 'en-GB' });
const words = WORDS['en-GB'];

async function openPalette(page: Page, typed: string) {
  await page.keyboard.press('Control+k');
  await expect(page.getByRole('dialog', { name: words.shell.search })).toBeVisible();
  await page.keyboard.type(typed);
}

test('Ctrl+K finds a record with a slip of the pen, a page and an act', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Étuve de séchage bloquée' });
  await signIn(page, ADMIN, '/');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await openPalette(page, 'etuve sechaje');
  await expect(page.getByRole('option', { name: /Étuve de séchage/ })).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/r/tickets/(${ticket.id}|${ticket.number})`));

  await openPalette(page, 'depart');
  await page.getByRole('option', { name: 'Departments', exact: true }).click();
  await expect(page).toHaveURL(/\/r\/departments/);

  await openPalette(page, 'create asset');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText(words.grid.create.replace('{{label}}', 'Asset'));
  await page.keyboard.press('Escape');
  await openPalette(page, 'dark');
  await page.keyboard.press('Enter');
  await expect(page.locator('html')).toHaveClass(/dark/);
});

test('a list is searched, sorted, walked, selected from and opened without a mouse', async ({ page }) => {
  await signIn(page, ADMIN, '/r/users?sort=username');
  const grid = page.getByRole('grid');
  await expect(page.getByRole('row').nth(3)).toBeVisible();
  const active = () =>
    grid.evaluate((element) => {
      const id = element.getAttribute('aria-activedescendant');
      return id
        ? (document.getElementById(id)?.closest('[role=row]')?.getAttribute('aria-rowindex') ?? '')
        : '';
    });
  await grid.focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  expect(await active()).toBe('4');
  await page.keyboard.press(' ');
  await page.keyboard.press('Shift+ArrowDown');
  await expect(page.getByRole('row', { selected: true })).toHaveCount(2);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('row', { selected: true })).toHaveCount(0);

  // The header is a row like the others: Enter sorts, Shift+Enter adds to the sort.
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+Enter');
  await expect(page.getByRole('columnheader').and(page.locator('[aria-sort$=ending]'))).toHaveCount(2);

  await page.keyboard.press('/');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('ndong');
  await expect(page.getByRole('row').filter({ hasText: 'Awa Ndong' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('ArrowDown');
  await grid.focus();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('Enter');
  await expect(
    page.getByRole('complementary', { name: /Record/ }).or(page.getByRole('article')),
  ).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: words.shortcuts.title })).toBeVisible();
});
