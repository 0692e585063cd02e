// The service desk as a person uses it: in French and English, light and dark, checked by axe.
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';

import en from '../src/locales/en.json' with { type: 'json' };
import fr from '../src/locales/fr.json' with { type: 'json' };

type Words = typeof en;

async function logIn(page: Page, words: Words) {
  await page.goto('/r/tickets');
  await page.getByLabel(words.login.email).fill('admin@opsflux.test');
  await page.getByLabel(words.login.password, { exact: true }).fill('Browser-Test-2026');
  await page.getByRole('button', { name: words.login.submit }).click();
  await expect(page.getByRole('grid')).toBeVisible();
}

async function expectNoBarriers(page: Page) {
  const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa']).analyze();
  const serious = found.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
  expect(serious.map((v) => `${v.id}: ${v.nodes[0]?.html}`)).toEqual([]);
}

async function create(page: Page, words: Words, title: string) {
  await page
    .getByRole('button', { name: words.grid.create.replace('{{label}}', 'Ticket') })
    .first()
    .click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').first().fill(title);
  await dialog.getByRole('button', { name: words.action.create, exact: true }).click();
  await expect(dialog).toBeHidden();
}

for (const { locale, words, scheme } of [
  { locale: 'fr-FR', words: fr as Words, scheme: 'light' as const },
  { locale: 'en-GB', words: en, scheme: 'dark' as const },
]) {
  test.describe(`${locale}, ${scheme}`, () => {
    test.use({ locale, colorScheme: scheme, viewport: { width: 1440, height: 900 } });

    test('logged out, only the log-in is shown, and it leads back', async ({ page }) => {
      await page.goto('/r/assets?sort=name');
      await expect(page.getByLabel(words.login.email)).toBeVisible();
      await expect(page.getByRole('navigation')).toHaveCount(0);
      await expectNoBarriers(page);
      await page.getByLabel(words.login.email).fill('admin@opsflux.test');
      await page.getByLabel(words.login.password, { exact: true }).fill('wrong password');
      await page.getByRole('button', { name: words.login.submit }).click();
      await expect(page.getByRole('alert').first()).toBeVisible();
      await page.getByLabel(words.login.password, { exact: true }).fill('Browser-Test-2026');
      await page.getByRole('button', { name: words.login.submit }).click();
      await expect(page).toHaveURL(/\/r\/assets\?.*sort=.*name/);
      await expect(page.getByRole('navigation').first()).toBeVisible();
    });

    test('a ticket is created, found, edited in bulk, deleted and brought back', async ({ page }) => {
      const title = `Imprimante ${locale}`;
      await logIn(page, words);
      await create(page, words, title);
      const row = page.getByRole('row').filter({ hasText: title });
      await expect(row).toBeVisible();
      await expectNoBarriers(page);

      const box = page.getByRole('searchbox').first();
      await box.fill(`imprimnate ${locale}`);
      await expect(row).toBeVisible();
      await box.fill('');

      await row.getByRole('gridcell').first().click();
      await expect(row).toHaveAttribute('aria-selected', 'true');
      const bar = page.getByRole('region', { name: words.bulk.bar });
      await bar.getByRole('button', { name: words.action.delete }).click();
      await expect(row).toBeHidden();
      await page.getByRole('button', { name: words.action.undo }).click();
      await expect(row).toBeVisible();
    });

    test('a change shows in another browser without a request by it', async ({ page, browser }) => {
      const title = `Live ${locale}`;
      await logIn(page, words);
      await create(page, words, title);
      const other = await browser.newContext({ locale, viewport: { width: 1440, height: 900 } });
      const second = await other.newPage();
      await logIn(second, words);
      const seen = second.getByRole('row').filter({ hasText: title });
      await expect(seen).toBeVisible();
      const id = await page.evaluate(async (wanted) => {
        const asked = await fetch(`/api/v1/tickets?title=${encodeURIComponent(wanted)}`);
        return ((await asked.json()) as { items: { id: string }[] }).items[0]?.id;
      }, title);
      await page.evaluate(async (ticket) => {
        const csrf = /opsflux_csrf=([^;]+)/.exec(document.cookie)?.[1] ?? '';
        await fetch(`/api/v1/tickets/${ticket}`, {
          method: 'PATCH',
          headers: { 'content-type': 'application/json', 'x-csrf-token': csrf },
          body: JSON.stringify({ title: 'Live, changed' }),
        });
      }, id);
      await expect(second.getByRole('row').filter({ hasText: 'Live, changed' }).first()).toBeVisible();
      await other.close();
    });
  });
}

test.describe('on a phone', () => {
  test.use({ locale: 'fr-FR', viewport: { width: 390, height: 844 }, hasTouch: true });

  test('nothing is wider than the screen and the main places are at the bottom', async ({ page }) => {
    await logIn(page, fr as Words);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(wider).toBe(false);
    await expectNoBarriers(page);
  });
});
