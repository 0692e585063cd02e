// A pipeline as a sales team uses it: read, dragged, moved by the keyboard, on a phone; who is already there is asked about.
import { expect, type Page, test } from '@playwright/test';
import crm from '../src/features/crm/words/fr.json' with { type: 'json' };
import { expectNoBarriers, expectNothingBeyondTheEdge, toasts } from './checks';
import { ADMIN, Api, signIn, WORDS } from './people';

test.use({ locale: 'fr-FR' });

const words = WORDS['fr-FR'];

async function newDeal(api: Api, title: string): Promise<string> {
  const organisation = await api.create('organisations', { nom: `Client de ${title}` });
  const deal = await api.create('deals', {
    title,
    organisation: organisation.id,
    montant: '12500.50',
    expected_close: '2000-01-01',
  });
  return String(deal.id);
}

const column = (page: Page, stage: string) => page.locator(`[data-stage="${stage}"]`);
const card = (page: Page, stage: string, id: string) => column(page, stage).locator(`[data-deal="${id}"]`);

test('a deal is dragged, goes back with a reason, and moves by the keyboard', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  const id = await newDeal(api, 'Quai des tests');
  await signIn(page, ADMIN, '/p/pipeline');
  await expect(page.locator('[data-stage]')).toHaveCount(7);
  await expect(card(page, 'prospect', id)).toContainText('12 500,50');
  await expectNoBarriers(page);
  await expectNothingBeyondTheEdge(page);

  const from = await card(page, 'prospect', id).boundingBox();
  const to = await column(page, 'proposition').boundingBox();
  expect(from && to).toBeTruthy();
  await page.mouse.move((from?.x ?? 0) + 20, (from?.y ?? 0) + 50);
  await page.mouse.down();
  await page.mouse.move((to?.x ?? 0) + 60, (to?.y ?? 0) + 90, { steps: 12 });
  await page.mouse.up();
  await expect(card(page, 'proposition', id)).toBeVisible();
  await expect(toasts(page).first()).toContainText('Proposition');

  // Back: the server wants to know why, so the board asks.
  await card(page, 'proposition', id).getByRole('link').focus();
  await page.keyboard.press('Alt+ArrowLeft');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  await expectNoBarriers(page);
  await dialog.getByRole('button', { name: crm.ask.go }).click();
  await expect(dialog.getByText(crm.ask.needed)).toBeVisible();
  await dialog.getByRole('textbox').fill('Le besoin a changé');
  await dialog.getByRole('button', { name: crm.ask.go }).click();
  await expect(card(page, 'qualification', id)).toBeVisible();
  const [move] = await api.list(`/deal-stage-changes?deal=${id}&sort=-created_at&limit=1`);
  expect(move).toMatchObject({ from: 'proposition', to: 'qualification', reason: 'Le besoin a changé' });

  // Lost, by the menu of the card.
  await card(page, 'qualification', id)
    .getByRole('button', { name: /Changer de stade/ })
    .click();
  await page.getByRole('menuitem', { name: 'Perdu' }).click();
  await dialog.getByRole('combobox').selectOption({ label: 'Prix' });
  await dialog.getByRole('button', { name: crm.ask.go }).click();
  await expect(card(page, 'perdu', id)).toBeVisible();
});

test('the board fits a phone and a dark room', async ({ page }) => {
  await page.setViewportSize({ width: 375, height: 760 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await signIn(page, ADMIN, '/p/pipeline');
  await expect(page.locator('[data-deal]').first()).toBeVisible();
  await expectNothingBeyondTheEdge(page);
  await expectNoBarriers(page);
});

test('tasks stand by when they are due, and are done with one click', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  await api.create('tasks', { title: 'Rappel oublié', due_date: '2020-01-01' });
  await api.create('tasks', { title: 'Un jour peut-être' });
  await signIn(page, ADMIN, '/p/tasks');
  const late = page.getByRole('region', { name: new RegExp(crm.tasks.overdue) });
  await expect(late.getByRole('link', { name: 'Rappel oublié' })).toBeVisible();
  await expect(page.getByRole('region', { name: new RegExp(crm.tasks.undated) })).toContainText(
    'Un jour peut-être',
  );
  await expectNoBarriers(page);
  await late.getByRole('checkbox', { name: 'Terminer : Rappel oublié' }).click();
  await expect(page.getByRole('link', { name: 'Rappel oublié' })).toHaveCount(0);
});

test('the forecast and the report are read without barriers', async ({ page }) => {
  await signIn(page, ADMIN, '/p/forecast');
  await expect(page.getByRole('row', { name: new RegExp(crm.forecast.total) })).toBeVisible();
  await expect(page.getByText(crm.report.win_rate)).toBeVisible();
  await expectNoBarriers(page);
  await expectNothingBeyondTheEdge(page);
});

test('a call is noted in two clicks on the page of an organisation', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  const { id } = await api.create('organisations', { nom: 'Chantiers du test' });
  await signIn(page, ADMIN, `/r/organisations/${id}`);
  const timeline = page.getByRole('region', { name: crm.timeline.title });
  await timeline.getByRole('button', { name: 'Appel' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').first().fill('Point téléphonique');
  await dialog.getByRole('button', { name: words.action.create, exact: true }).click();
  await expect(timeline.getByRole('link', { name: 'Point téléphonique' })).toBeVisible();
  // What became of its deals stands among what people did.
  const deal = await api.create('deals', { title: 'Grue', organisation: id });
  await api.change('deals', deal.id, { stage: 'proposition' });
  await page.reload();
  await expect(timeline).toContainText('Grue : Prospect → Proposition');
  await expectNoBarriers(page);
});

test('who is there already is named before a second one is made', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  await api.create('organisations', { nom: 'Forges du test', email: 'contact@forges-du-test.fr' });
  await signIn(page, ADMIN, '/r/organisations?create=true');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Nom' }).fill('Forges');
  await dialog.getByRole('textbox', { name: 'Adresse électronique' }).fill('contact@forges-du-test.fr');
  await dialog.getByRole('button', { name: words.action.create, exact: true }).click();
  await expect(dialog.getByRole('alert')).toContainText('Forges du test');
  await dialog.getByRole('alert').getByRole('button').click();
  await expect(dialog).toHaveCount(0);
  expect(await api.list('/organisations?email=contact@forges-du-test.fr')).toHaveLength(2);
});

test('suppliers and interactions have their places in the sidebar', async ({ page }) => {
  await signIn(page, ADMIN, '/p/suppliers');
  await expect(page).toHaveURL(/\/r\/organisations\?view=/);
  const names = await page.getByRole('navigation').getByRole('link').allTextContents();
  const place = names.indexOf('Fournisseurs');
  expect(names.slice(place, place + 3)).toEqual(['Fournisseurs', 'Règles', 'Interactions']);
});
