// The service desk at work: a ticket with its parts is made, found, edited with others, deleted, brought back.
import { expect, type Page, test } from '@playwright/test';
import { toasts } from './checks';
import { ADMIN, Api, MANAGER, signIn, WORDS } from './people';

const LABELS = {
  'fr-FR': {
    ticket: 'Ticket',
    children: 'Sous-tickets',
    status: 'Statut',
    todo: 'À faire',
    priority: 'Priorité',
    critical: 'Critique',
  },
  'en-GB': {
    ticket: 'Ticket',
    children: 'Sub-tickets',
    status: 'Status',
    todo: 'To do',
    priority: 'Priority',
    critical: 'Critical',
  },
};

for (const { locale, colorScheme } of [
  { locale: 'fr-FR' as const, colorScheme: 'light' as const },
  { locale: 'en-GB' as const, colorScheme: 'dark' as const },
]) {
  test.describe(`${locale}, ${colorScheme}`, () => {
    test.use({ locale, colorScheme });
    const words = WORDS[locale];
    const labels = LABELS[locale];

    const rowOf = (page: Page, text: string) => page.getByRole('row').filter({ hasText: text });

    test('a ticket gets a sub-ticket and an attachment', async ({ page }) => {
      const title = `Onduleur en alarme ${locale}`;
      await signIn(page, MANAGER, '/r/tickets');
      await expect(page.getByRole('row').nth(1)).toBeVisible();
      await page.getByRole('row').nth(1).getByRole('gridcell').first().click();
      await expect(page.getByRole('region', { name: words.bulk.bar })).toBeVisible();
      const create = page.getByRole('button', {
        name: words.grid.create.replace('{{label}}', labels.ticket),
      });
      await create.click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox').first().fill(title);
      await dialog.getByRole('button', { name: words.action.create, exact: true }).click();

      await expect(dialog).toBeHidden();
      await expect(toasts(page)).toHaveCount(1);
      await expect(toasts(page)).toContainText(title);
      await expect(rowOf(page, title)).toBeVisible();
      await expect(page.getByRole('region', { name: words.bulk.bar })).toHaveCount(0);
      await create.click();
      await expect(dialog.getByRole('textbox').first()).toHaveValue('');
      await page.keyboard.press('Escape');

      await toasts(page).getByRole('button', { name: words.action.open }).click();
      await expect(page.getByRole('heading', { name: title })).toBeVisible();
      await page
        .getByRole('button', { name: words.related.add_to.replace('{{label}}', labels.children) })
        .click();
      await dialog.getByRole('textbox').first().fill(`${title}, batteries`);
      await dialog.getByRole('button', { name: words.action.create, exact: true }).click();
      await expect(dialog).toBeHidden();
      const children = page.getByRole('region', { name: labels.children });
      await expect(children.getByRole('link', { name: `${title}, batteries` })).toBeVisible();

      await page.getByRole('tab', { name: words.record.files }).click();
      await page
        .getByLabel(words.files.attach, { exact: true })
        .and(page.locator('input'))
        .setInputFiles({ name: 'alarme.txt', mimeType: 'text/plain', buffer: Buffer.from('E-27 batterie') });
      const file = page.getByRole('link', { name: words.files.download.replace('{{name}}', 'alarme.txt') });
      await expect(file).toBeVisible();
      const sent = await page.request.get((await file.getAttribute('href')) ?? '');
      expect(await sent.text()).toBe('E-27 batterie');
    });

    test('the filter builder narrows the list, and its address brings the same list back', async ({
      page,
    }) => {
      await signIn(page, ADMIN, '/r/tickets');
      await page.getByRole('button', { name: words.filter.add, exact: true }).click();
      await page.getByRole('dialog').getByRole('combobox').fill(labels.critical.slice(0, 5));
      await page.getByRole('option', { name: labels.critical }).click();
      const total = page.getByRole('status').filter({ hasText: /^\d+$/ });
      await expect(page).toHaveURL(/critical/);
      await expect(rowOf(page, labels.critical).first()).toBeVisible();
      const rows = page.getByRole('row');
      await expect
        .poll(async () =>
          (await rows.allInnerTexts()).slice(1).every((text) => text.includes(labels.critical)),
        )
        .toBe(true);

      await page.getByRole('button', { name: words.filter.add, exact: true }).click();
      await page.getByRole('option', { name: labels.status, exact: true }).click();
      await page
        .getByRole('checkbox', { name: labels.todo })
        .or(page.getByRole('option', { name: labels.todo }))
        .click();
      await page.keyboard.press('Escape');
      await expect(page).toHaveURL(/todo/);
      await expect
        .poll(async () => (await rows.allInnerTexts()).slice(1).every((text) => text.includes(labels.todo)))
        .toBe(true);
      const found = await total.first().innerText();
      await page.reload();
      await expect(total.first()).toHaveText(found);
      await expect(
        page.getByRole('button', { name: new RegExp(`${labels.status}.*${labels.todo}`) }).first(),
      ).toBeVisible();
      await page.goBack();
      await expect(page).not.toHaveURL(/todo/);
    });

    test('a bulk edit says for each row what became of it', async ({ page, request }) => {
      const api = await Api.as(request, ADMIN);
      const title = `Baie ${locale}`;
      const open = await api.create('tickets', { title: `${title} A` });
      const closed = await api.create('tickets', { title: `${title} B` });
      await api.change('tickets', closed.id, { status: 'closed' });
      const filter = { field: 'id', op: 'in', value: [open.id, closed.id] };
      await signIn(page, ADMIN, `/r/tickets?filter=${encodeURIComponent(JSON.stringify(filter))}`);
      await expect(page.getByRole('row')).toHaveCount(3);
      await page.getByRole('columnheader').first().click();
      const bar = page.getByRole('region', { name: words.bulk.bar });
      await bar.getByRole('button', { name: words.action.edit }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel(words.bulk.field).selectOption({ label: labels.status });
      await dialog.getByLabel(words.bulk.value).selectOption({ label: labels.todo });
      await dialog
        .getByRole('button', { name: words.bulk.edit_submit_other.replace('{{count}}', '2') })
        .click();

      const results = dialog.getByRole('listitem');
      await expect(results).toHaveCount(2);
      await expect(results.filter({ hasText: `${title} A` })).toContainText(words.bulk.changed);
      await expect(results.filter({ hasText: `${title} B` })).toContainText(words.bulk.not_changed);
      await dialog.getByRole('button', { name: words.action.close }).last().click();
      await expect(rowOf(page, `${title} A`)).toContainText(labels.todo);
      // What was refused stays selected, to be seen to.
      await expect(rowOf(page, `${title} A`)).toHaveAttribute('aria-selected', 'false');
      await expect(rowOf(page, `${title} B`)).toHaveAttribute('aria-selected', 'true');
    });

    test('what is deleted goes with its sub-tickets, and comes back with them', async ({ page, request }) => {
      const api = await Api.as(request, ADMIN);
      const title = `Climatisation ${locale}`;
      const parent = await api.create('tickets', { title });
      await api.create('tickets', { title: `${title}, filtre`, parent: parent.id });
      await signIn(page, ADMIN, `/r/tickets?q=${encodeURIComponent(title)}`);
      await expect(rowOf(page, title)).toHaveCount(2);
      await page
        .getByRole('gridcell', { name: new RegExp(`${title}$`) })
        .first()
        .click();
      const bar = page.getByRole('region', { name: words.bulk.bar });
      await bar.getByRole('button', { name: words.action.delete }).click();
      await expect(toasts(page)).toHaveCount(1);
      await expect(rowOf(page, title)).toHaveCount(0);
      await expect(bar).toHaveCount(0);
      await toasts(page).getByRole('button', { name: words.action.undo }).click();
      await expect(rowOf(page, title)).toHaveCount(2);
    });
  });
}
