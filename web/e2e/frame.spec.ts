// The frame around every page: its theme, its navigation on each size of screen, the panel beside the list.
import { expect, test } from '@playwright/test';
import { ADMIN, Api, signIn, WORDS } from './people';

test.use({ locale: 'en-GB' });
const words = WORDS['en-GB'];

test('the theme is light, dark, or follows the system as it changes, and is kept', async ({
  page,
  request,
}) => {
  await signIn(page, ADMIN, '/account');
  const dark = page.locator('html.dark');
  const theme = page.getByRole('combobox', { name: words.user.theme });
  await theme.selectOption('dark');
  await expect(dark).toHaveCount(1);
  await page.reload();
  await expect(dark).toHaveCount(1);
  await theme.selectOption('light');
  await expect(dark).toHaveCount(0);
  await theme.selectOption('system');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect(dark).toHaveCount(1);
  await page.emulateMedia({ colorScheme: 'light' });
  await expect(dark).toHaveCount(0);
  // What was chosen last is what the profile keeps.
  const api = await Api.as(request, ADMIN);
  await expect(async () => {
    expect(await api.read('/auth/me')).toMatchObject({ theme: 'system' });
  }).toPass();
});

test('where one arrives, each view says how much waits in it, and changes as work comes in', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  await signIn(page, ADMIN, '/');
  const waiting = page.getByRole('link', { name: /^Critical/ });
  await expect(waiting).toHaveText(/\d$/);
  const before = Number((await waiting.innerText()).match(/\d+$/)?.[0]);
  await api.create('tickets', { title: 'The quay crane does not stop', priority: 'critical' });
  await expect(waiting).toHaveText(new RegExp(`${before + 1}$`));
  await waiting.click();
  await expect(page.getByRole('row').filter({ hasText: 'The quay crane does not stop' })).toBeVisible();
});

test('on a desktop a record opens beside the list, which stays in use', async ({ page }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  await signIn(page, ADMIN, '/r/assets');
  const row = (at: number) => page.getByRole('row').nth(at);
  const name = (at: number) => row(at).getByRole('gridcell').nth(2);
  await name(1).click();
  const panel = page.getByRole('article');
  await expect(panel.getByRole('heading').first()).toContainText(await name(1).innerText());
  await name(2).click();
  await expect(panel.getByRole('heading').first()).toContainText(await name(2).innerText());
  await page.getByRole('grid').hover();
  await page.mouse.wheel(0, 4_000);
  await expect(page.getByRole('navigation', { name: words.shell.navigation })).toBeInViewport();
  await expect(panel).toBeInViewport();
});

test.describe('with fingers', () => {
  test.use({ viewport: { width: 820, height: 1180 }, hasTouch: true });

  test('on a tablet the navigation waits behind a button, and what one touches is large', async ({
    page,
  }) => {
    await signIn(page, ADMIN, '/r/tickets');
    await expect(page.getByRole('row').nth(1)).toBeVisible();
    await expect(page.getByRole('link', { name: 'Departments' })).toBeHidden();
    await page.getByRole('button', { name: words.shell.menu }).click();
    await page.getByRole('link', { name: 'Departments' }).click();
    await expect(page).toHaveURL(/\/r\/departments/);
    await expect(page.getByRole('link', { name: 'Departments' })).toBeHidden();
    const heights = await page
      .getByRole('button')
      .filter({ visible: true })
      .evaluateAll((buttons) =>
        buttons
          .map((button) => ({ height: button.getBoundingClientRect().height, html: button.outerHTML }))
          .filter(({ height }) => height < 44),
      );
    expect(heights).toEqual([]);
  });

  test('on a phone the main places are at the bottom, under the thumb', async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await signIn(page, ADMIN, '/r/tickets');
    const bar = page.getByRole('navigation').last();
    await expect(bar).toBeInViewport({ ratio: 1 });
    const box = await bar.boundingBox();
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBe(844);
    await bar.getByRole('link').nth(1).click();
    await expect(page).toHaveURL(/self-service/);
  });
});

test('a site is made in the interface and picked on an asset, which the site then lists', async ({
  page,
  request,
}) => {
  await signIn(page, ADMIN, '/r/sites?create=true');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: /^Name/ }).fill('Mayumba yard');
  await dialog.getByRole('button', { name: words.form.more_fields }).click();
  await dialog.getByRole('textbox', { name: /^Address/ }).fill('Quay 3');
  await dialog.getByRole('textbox', { name: /^Country/ }).fill('Gabon');
  await dialog.getByRole('button', { name: words.action.create, exact: true }).click();
  await expect(dialog).toBeHidden();

  const api = await Api.as(request, ADMIN);
  const asset = await api.create('assets', { name: 'MYB-PUMP-01', serial_number: 'MYB-1' });
  await page.goto(`/r/assets/${asset.number}`);
  await page.getByRole('button', { name: words.record.edit_all }).click();
  await page.getByRole('combobox', { name: /^Site/ }).fill('mayum');
  await page.getByRole('option', { name: /Mayumba yard/ }).click();
  await page.keyboard.press('Control+s');
  await page.getByRole('link', { name: 'Mayumba yard' }).click();
  await expect(page.getByRole('heading', { name: 'Mayumba yard' })).toBeVisible();
  await expect(
    page.getByRole('region', { name: 'Assets', exact: true }).getByRole('link', { name: 'MYB-PUMP-01' }),
  ).toBeVisible();
  const [site] = await api.list('/sites?name=Mayumba%20yard');
  expect(site).toMatchObject({ address: 'Quay 3', country: 'Gabon' });
});
