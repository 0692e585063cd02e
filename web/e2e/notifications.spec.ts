// What a person is told reaches his bell as it happens, and is read there.
import { expect, type Page, test } from '@playwright/test';
import { expectNoBarriers, expectNothingBeyondTheEdge } from './checks';
import { ADMIN, Api, type Person, signIn, WORDS, windowOf } from './people';

test.use({ locale: 'en-GB' });
test.describe.configure({ mode: 'serial' });

const words = WORDS['en-GB'].notifications;
const NONE = words.title;
const ONE = words.bell_one.replace('{{count}}', '1');
const TWO = words.bell_other.replace('{{count}}', '2');

/** Whom nobody else tells anything. */
const READER: Person = { email: 'bell.reader@ges-energie.example', password: 'Rings-Once-2026!' };

const bell = (page: Page, name: string) =>
  page.getByRole('banner').getByRole('button', { name, exact: true });

async function announce(api: Api, title: string, kind = 'system', about?: object) {
  const message = 'Sunday at eight.\nSave your work.';
  await api.post('/notifications/announce', { title, message, kind, about });
}

test('the bell counts within a second, and the page asks for nothing until it is told', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const [role] = await api.list('/roles?name=technician');
  await api.create('users', { ...READER, full_name: 'Bell Reader', memberships: [{ role: role?.id }] });
  await signIn(page, READER, '/');
  await expect(bell(page, NONE)).toBeVisible();
  await page.waitForLoadState('load');
  const asked: string[] = [];
  page.on('request', (one) => asked.push(new URL(one.url()).pathname));
  await expect(async () => {
    const before = asked.length;
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 1_000)));
    expect(asked.length).toBe(before);
  }).toPass();
  asked.length = 0;
  await announce(api, 'Maintenance on Sunday');
  await expect(bell(page, ONE)).toBeVisible({ timeout: 1_000 });
  expect(asked).toEqual(['/api/v1/notifications/unread']);
});

test('the panel shows them by day; one is read, then all, in every window', async ({
  page,
  browser,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  await announce(api, 'Fire drill now', 'alert');
  await signIn(page, READER, '/');
  const other = await windowOf(browser, READER, '/');
  await expect(bell(other, TWO)).toBeVisible();
  // By keyboard alone.
  await bell(page, TWO).focus();
  await page.keyboard.press('Enter');
  const panel = page.getByRole('dialog', { name: words.title });
  await expect(panel.getByRole('listitem')).toHaveCount(2);
  await expect(panel.getByRole('listitem').first()).toContainText('Fire drill now');
  await expect(panel.getByRole('heading', { level: 3 })).toHaveCount(1);
  await expectNoBarriers(page);
  await panel.getByRole('button', { name: words.mark_read.replace('{{title}}', 'Fire drill now') }).click();
  await expect(bell(other, ONE)).toBeVisible();
  await panel.getByRole('button', { name: words.unread, exact: true }).click();
  await expect(panel.getByRole('listitem')).toHaveCount(1);
  await expect(panel).not.toContainText('Fire drill now');
  await panel.getByRole('button', { name: words.mark_all }).click();
  await expect(panel).toContainText(words.none_unread);
  await expect(bell(other, NONE)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
  await expect(bell(page, NONE)).toBeFocused();
  await other.context().close();
});

test('one leads to the record it is about, and is read then', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Boiler of hall 3' });
  await announce(api, 'Hall 3 stays cold', 'system', { entity: 'ticket', id: ticket.id });
  await signIn(page, ADMIN, '/');
  await page
    .getByRole('banner')
    .getByRole('button', { name: /unread notification/ })
    .click();
  const panel = page.getByRole('dialog', { name: words.title });
  await panel.getByRole('link', { name: /Hall 3 stays cold/ }).click();
  await expect(page.getByRole('heading', { name: 'Boiler of hall 3' })).toBeVisible();
  await expect(panel).toBeHidden();
  await expect(async () => {
    const [now] = await api.list('/notifications?recipient=@me&limit=1');
    expect(now).toMatchObject({ title: 'Hall 3 stays cold', read_at: expect.any(String) });
  }).toPass();
});

test('on a telephone, in the dark, the panel fits and is accessible', async ({ browser, request }) => {
  const api = await Api.as(request, ADMIN);
  await announce(api, `A long title ${'that goes on and on '.repeat(8)}`, 'alert');
  const context = await browser.newContext({
    locale: 'fr-FR',
    colorScheme: 'dark',
    viewport: { width: 360, height: 640 },
    hasTouch: true,
    isMobile: true,
  });
  const page = await context.newPage();
  await signIn(page, READER, '/');
  const french = WORDS['fr-FR'].notifications;
  await page
    .getByRole('banner')
    .getByRole('button', { name: /non lues?$/ })
    .tap();
  const panel = page.getByRole('dialog', { name: french.title });
  await expect(panel.getByRole('listitem').first()).toContainText('A long title');
  const box = await panel.boundingBox();
  expect(box && box.x >= 0 && box.x + box.width <= 360).toBe(true);
  await expectNoBarriers(page);
  await expectNothingBeyondTheEdge(page);
  await context.close();
});

test('administrators see deliveries as any list', async ({ page }) => {
  await signIn(page, ADMIN, '/r/deliveries');
  await expect(page.getByRole('grid')).toBeVisible();
});
