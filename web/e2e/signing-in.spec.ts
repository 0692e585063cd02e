// Without a log-in there is nothing to see; with it, the page that was asked for, in the person's language.
import { expect, test } from '@playwright/test';
import { expectNoBarriers } from './checks';
import { Api, REQUESTER, signIn, TECHNICIAN, WORDS, windowOf } from './people';

for (const { locale, colorScheme } of [
  { locale: 'fr-FR' as const, colorScheme: 'light' as const },
  { locale: 'en-GB' as const, colorScheme: 'dark' as const },
]) {
  test.describe(`${locale}, ${colorScheme}`, () => {
    test.use({ locale, colorScheme });
    const words = WORDS[locale];

    test('logged out, every address shows the log-in alone, and leads back', async ({ page }) => {
      for (const address of ['/', '/r/tickets', '/account', '/self-service', '/nowhere']) {
        await page.goto(address);
        await expect(page.getByLabel(words.login.email)).toBeVisible();
        await expect(page.getByRole('navigation')).toHaveCount(0);
        await expect(page.getByRole('grid')).toHaveCount(0);
      }
      await page.goto('/r/assets?sort=-name');
      await expectNoBarriers(page);
      await page.getByLabel(words.login.email).fill(TECHNICIAN.email);
      await page.getByLabel(words.login.password, { exact: true }).fill('a wrong password');
      await page.getByRole('button', { name: words.login.submit }).click();
      await expect(page.getByRole('alert')).not.toBeEmpty();
      await expect(page.getByLabel(words.login.email)).toHaveValue(TECHNICIAN.email);
      await page.getByLabel(words.login.password, { exact: true }).fill(TECHNICIAN.password);
      await page.getByRole('button', { name: words.login.submit }).click();
      await expect(page.getByRole('columnheader', { name: /^(Nom|Name)/ })).toHaveAttribute(
        'aria-sort',
        'descending',
      );
      await page.reload();
      await expect(page.getByRole('grid')).toBeVisible();
    });
  });
}

test.describe('the language', () => {
  test.use({ locale: 'es-ES' });

  test('is the browser’s, until the person chooses one, which then comes along to any browser', async ({
    page,
    browser,
  }) => {
    await page.goto('/');
    await expect(page.getByLabel(WORDS['es-ES'].login.email)).toBeVisible();
    const { email, password } = { ...REQUESTER, email: 'julien.castaing@ges-energie.example' };
    await signIn(page, { email, password }, '/account');
    await page.getByLabel(/Idioma|Langue|Language/).selectOption('pt');
    await expect(page.getByRole('heading', { name: WORDS['pt-PT'].account.sessions })).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'pt');
    const other = await windowOf(browser, { email, password }, '/account', 'en-GB');
    await expect(other.getByRole('heading', { name: WORDS['pt-PT'].account.sessions })).toBeVisible();
    await other.context().close();
  });
});

test.describe('a session', () => {
  test.use({ locale: 'en-GB' });
  const words = WORDS['en-GB'];

  test('that is ended from another device ends there at once', async ({ page, browser, request }) => {
    await signIn(page, REQUESTER, '/self-service');
    const lost = await windowOf(browser, REQUESTER, '/self-service');
    await expect(lost.getByRole('heading', { level: 1 })).toBeVisible();
    await page.goto('/account');
    const ended = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
    await page
      .getByRole('button', { name: /^Log out / })
      .first()
      .click();
    expect((await ended).status()).toBe(204);
    await lost.reload();
    await expect(lost.getByLabel(words.login.email)).toBeVisible();
    await lost.context().close();
    // The API beside says the same of a token that was never given out.
    await Api.as(request, REQUESTER);
  });
});
