// One record shared with one person, seen by her at once, and taken back at once.
import { expect, test } from '@playwright/test';
import { expectNoBarriers } from './checks';
import { ADMIN, Api, OTHER_REQUESTER, signIn, WORDS, windowOf } from './people';

test.use({ locale: 'en-GB' });
const words = WORDS['en-GB'];

test('a record is shared with a person, who sees it until it is taken back', async ({
  page,
  browser,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Valve of the south well' });
  const theirs = await windowOf(browser, OTHER_REQUESTER, `/r/tickets/${ticket.number}`);
  await expect(theirs.getByRole('heading', { name: 'Valve of the south well' })).toHaveCount(0);

  await signIn(page, ADMIN, `/r/tickets/${ticket.number}`);
  await page.getByRole('button', { name: words.share.open }).click();
  const dialog = page.getByRole('dialog', { name: words.share.title });
  await expect(dialog).toContainText(words.share.nobody);
  await dialog.getByRole('combobox', { name: words.share.with_user }).fill('sutherland');
  await page.getByRole('option', { name: /Craig Sutherland/ }).click();
  // By the keyboard alone.
  await dialog.getByRole('button', { name: words.share.add, exact: true }).press('Enter');
  const line = dialog.getByRole('listitem').filter({ hasText: 'Craig Sutherland' });
  await expect(line).toBeVisible();
  await expectNoBarriers(page);
  await page.screenshot({ path: 'test-results/share.png' });

  await theirs.reload();
  await expect(theirs.getByRole('heading', { name: 'Valve of the south well' })).toBeVisible();

  await page.setViewportSize({ width: 390, height: 844 });
  await expect(line).toBeInViewport();
  await page.screenshot({ path: 'test-results/share-phone.png' });
  await line
    .getByRole('button', { name: words.share.take_back.replace('{{name}}', 'Craig Sutherland') })
    .click();
  await expect(dialog).toContainText(words.share.nobody);
  await theirs.reload();
  await expect(theirs.getByRole('heading', { name: 'Valve of the south well' })).toHaveCount(0);
  await theirs.context().close();
});
