// A person without technician's rights asks for help in three fields and follows what becomes of it.
import { expect, type Page, test } from '@playwright/test';
import { expectNoBarriers, toasts } from './checks';
import { ADMIN, Api, OTHER_REQUESTER, REQUESTER, signIn, TECHNICIAN, WORDS, windowOf } from './people';

const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** Chooses as a person does, by the label that is seen: it is waited for until it stands still. */
async function choose(page: Page, name: string): Promise<void> {
  const radio = page.getByRole('radio', { name });
  await page.locator('label').filter({ has: radio }).click();
  await expect(radio).toBeChecked();
}

for (const { locale, colorScheme } of [
  { locale: 'fr-FR' as const, colorScheme: 'dark' as const },
  { locale: 'en-GB' as const, colorScheme: 'light' as const },
]) {
  test.describe(`${locale}, ${colorScheme}`, () => {
    test.use({ locale, colorScheme });
    const words = WORDS[locale];
    const said = words.self_service;

    test('a request is sent in three fields and followed to its end', async ({ page, request }) => {
      const title = `Plus de réseau au quai ${locale}`;
      await signIn(page, REQUESTER, '/self-service');
      await page.getByLabel(said.ask_title).fill(title);
      await page.getByLabel(said.ask_description).fill('Depuis ce matin, sur les deux postes.');
      await choose(page, said.about_category);
      await expect(page.getByRole('form').or(page.locator('form')).getByRole('textbox')).toHaveCount(2);
      await page.getByRole('button', { name: said.send }).click();
      await expect(toasts(page)).toHaveCount(1);
      await expect(page.getByLabel(said.ask_title)).toHaveValue('');
      await page.getByRole('link', { name: title }).click();
      await expect(page.getByRole('heading', { name: title })).toBeVisible();
      const standing = page.getByRole('region', { name: said.standing });
      await expect(standing).toContainText(said.is_open);

      const desk = await Api.as(request, ADMIN);
      const [ticket] = await desk.list(`/tickets?title=${encodeURIComponent(title)}`);
      expect(ticket?.status).toBe('new');
      const [technician] = await desk.list(`/users?email=${TECHNICIAN.email}`);
      await desk.change('tickets', String(ticket?.id), { status: 'in_progress', assignee: technician?.id });
      await expect(standing).toContainText(said.someone_works.replace('{{name}}', 'Awa Ndong'));

      await desk.post(`/tickets/${ticket?.id}/comments`, { body: 'Le câble est coupé.', internal: false });
      await desk.post(`/tickets/${ticket?.id}/comments`, { body: 'À facturer au port.', internal: true });
      const conversation = page.getByRole('region', { name: said.conversation });
      await expect(conversation).toContainText('Le câble est coupé.');

      await page.getByLabel(said.reply).fill('Voici une photo.');
      await page
        .getByLabel(said.attach)
        .and(page.locator('input'))
        .setInputFiles({ name: 'quai.png', mimeType: 'image/png', buffer: PICTURE });
      await page.getByRole('button', { name: words.comment.send }).click();
      await expect(conversation).toContainText('Voici une photo.');
      await expect(conversation.getByRole('img', { name: 'quai.png' })).toBeVisible();
      await expect(page.getByLabel(said.reply)).toHaveValue('');
      await expect(page.locator('body')).not.toContainText('À facturer au port.');
      await expectNoBarriers(page);

      await desk.change('tickets', String(ticket?.id), { status: 'done', resolution: 'Câble remplacé.' });
      await expect(standing).toContainText(said.is_done);
      await expect(standing).toContainText('Câble remplacé.');
    });

    test('another person’s ticket does not exist', async ({ page, request }) => {
      const other = await Api.as(request, OTHER_REQUESTER);
      const ticket = await other.create('tickets', { title: `Fiche de paie ${locale}` });
      await signIn(page, REQUESTER, `/r/tickets/${ticket.number}`);
      await expect(page.getByRole('heading', { name: words.problem.missing_title })).toBeVisible();
      await expect(page.locator('body')).not.toContainText('Fiche de paie');
      await page.goto(`/p/self-service?open=${ticket.number}`);
      await expect(page.getByRole('heading', { name: words.problem.missing_title })).toBeVisible();
      const asked = await page.request.get(`/api/v1/tickets/${ticket.id}`);
      expect(asked.status()).toBe(404);
    });
  });
}

test.describe('a technician', () => {
  test.use({ locale: 'en-GB' });
  const words = WORDS['en-GB'];

  test('writes to colleagues what the requester does not see', async ({ page, browser, request }) => {
    const requester = await Api.as(request, REQUESTER);
    const title = 'Badge refused at the gate';
    const ticket = await requester.create('tickets', { title });
    const admin = await Api.as(request, ADMIN);
    const [technician] = await admin.list(`/users?email=${TECHNICIAN.email}`);
    await admin.change('tickets', ticket.id, { assignee: technician?.id });
    await signIn(page, TECHNICIAN, `/r/tickets/${ticket.number}`);
    const write = page.getByRole('textbox', { name: /comment|note/i });
    await page.getByRole('radio', { name: words.comment.internal }).check({ force: true });
    await write.fill('He was dismissed on Monday.');
    await page.getByRole('button', { name: words.comment.send_internal }).click();
    const activity = page.getByRole('complementary', { name: words.record.activity });
    await expect(activity).toContainText('He was dismissed on Monday.');
    await page.getByRole('radio', { name: words.comment.public }).check({ force: true });
    await write.fill('We are looking into it.');
    await page.getByRole('button', { name: words.comment.send, exact: true }).click();
    await expect(activity).toContainText('We are looking into it.');

    const theirs = await windowOf(browser, REQUESTER, `/p/self-service?open=${ticket.number}`);
    await expect(theirs.getByText('We are looking into it.')).toBeVisible();
    await theirs.goto(`/r/tickets/${ticket.number}`);
    await expect(theirs.getByText('We are looking into it.')).toBeVisible();
    await expect(theirs.locator('body')).not.toContainText('dismissed');
    await theirs.context().close();
  });

  test('keeps what is chosen and written while a comment is on its way', async ({ page, request }) => {
    const admin = await Api.as(request, ADMIN);
    const [technician] = await admin.list(`/users?email=${TECHNICIAN.email}`);
    const ticket = await admin.create('tickets', { title: 'Gate left open', assignee: technician?.id });
    await signIn(page, TECHNICIAN, `/r/tickets/${ticket.number}`);
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    await page.route('**/comments', async (route) => {
      if (route.request().method() === 'POST') {
        await arrived;
      }
      await route.continue();
    });
    const write = page.getByRole('textbox', { name: /comment|note/i });
    await write.fill('Sent.');
    await page.getByRole('button', { name: words.comment.send, exact: true }).click();
    await page.getByRole('radio', { name: words.comment.internal }).check({ force: true });
    await write.fill('For colleagues.');
    arrive();
    const activity = page.getByRole('complementary', { name: words.record.activity });
    await expect(activity.getByText('Sent.')).toBeVisible();
    await expect(page.getByRole('button', { name: words.comment.send_internal })).toBeEnabled();
    await expect(write).toHaveValue('For colleagues.');
  });
});
