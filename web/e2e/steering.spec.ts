// The monthly review: from an empty dashboard to the management meeting, with what the figures say on the way.
import { expect, type Locator, type Page, test } from '@playwright/test';
import fr from '../src/locales/kpi/fr.json' with { type: 'json' };
import { expectNoBarriers, expectNothingBeyondTheEdge, toasts } from './checks';
import { ADMIN, Api, signIn, WORDS } from './people';

test.use({ locale: 'fr-FR', permissions: ['clipboard-read', 'clipboard-write'] });

const words = WORDS['fr-FR'];
const LAST_YEAR = String(new Date().getFullYear() - 1);

/** Availability falls in December, far below what is usual; costs stay what they were. */
const YEAR = [
  ['96,1 %', '11 200,50'],
  ['97 %', '11 150'],
  ['95,8 %', '11 300,25'],
  ['96,4 %', '11 080'],
  ['96,9 %', '11 220'],
  ['95,9 %', '11 170'],
  ['96,6 %', '11 260'],
  ['96,2 %', '11 190'],
  ['97,1 %', '11 240'],
  ['96,3 %', '11 210'],
  ['96,7 %', '11 180'],
  ['71,5 %', '11 230'],
];

async function addIndicator(page: Page, fields: Record<string, string>, direction: string) {
  await page.getByRole('button', { name: fr.board.add }).first().click();
  const dialog = page.getByRole('dialog');
  for (const [label, value] of Object.entries(fields)) {
    await dialog.getByLabel(label, { exact: false }).first().fill(value);
  }
  await dialog.getByLabel('Sens', { exact: false }).first().selectOption({ label: direction });
  await dialog.getByRole('button', { name: words.action.create, exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('article', { name: fields.Nom ?? '', exact: true })).toBeVisible();
}

async function paste(page: Page, cell: Locator, rows: string[][]) {
  await page.evaluate(
    (text) => navigator.clipboard.writeText(text),
    rows.map((cells) => cells.join('\t')).join('\r\n'),
  );
  await cell.focus();
  await page.keyboard.press('Control+v');
}

async function inBothThemes(page: Page, check: () => Promise<void>) {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator('html')).toHaveClass(colorScheme === 'dark' ? /dark/ : /^(?!.*dark)/);
    await check();
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

test('a review is prepared and held: values pasted, a signal seen, an action opened, the meeting led', async ({
  page,
  request,
}) => {
  test.slow();
  const api = await Api.as(request, ADMIN);
  // Another test may have left its theme in the profile.
  await api.change('auth', 'me', { theme: 'system' });
  await signIn(page, ADMIN, '/r/dashboards?create=true');
  const creating = page.getByRole('dialog');
  await creating.getByLabel('Titre').fill('Revue de l’atelier');
  await creating.getByLabel('Processus').fill('Production');
  await creating.getByRole('button', { name: words.action.create, exact: true }).click();
  await expect(creating).toHaveCount(0);
  const [board] = await api.list(`/dashboards?title=${encodeURIComponent('Revue de l’atelier')}`);

  await page.goto(`/r/dashboards/${board?.id}`);
  await addIndicator(
    page,
    { Nom: 'Marche du broyeur', Unité: '%', 'Seuil vert': '95', 'Seuil orange': '90' },
    'Plus haut est mieux',
  );
  await addIndicator(
    page,
    { Nom: 'Coût de la graisse', Unité: '€', 'Seuil vert': '12000', 'Seuil orange': '13000' },
    'Plus bas est mieux',
  );

  // A year is pasted; what is no number is said before anything is saved.
  await page.getByRole('link', { name: fr.board.enter }).click();
  await page.getByRole('button', { name: fr.entry.before }).click();
  await expect(page.getByText(LAST_YEAR, { exact: true })).toBeVisible();
  const cells = page.getByRole('textbox');
  await expect(cells).toHaveCount(24);
  await paste(page, cells.first(), [...YEAR.slice(0, 11), ['71,5 % ?', '11 230']]);
  await expect(page.getByRole('alert').filter({ hasText: fr.entry.fault.not_a_number })).toBeVisible();
  const save = page.getByRole('button', { name: words.action.save, exact: true });
  await expect(save).toBeDisabled();
  await inBothThemes(page, () => expectNoBarriers(page));
  await cells.nth(22).fill('71,5 %');
  await save.click();
  await expect(toasts(page).filter({ hasText: '24 valeurs enregistrées.' })).toBeVisible();
  const values = await api.list(`/kpi-values?value=11200.50&period_start=${LAST_YEAR}-01-01`);
  expect(values).toMatchObject([{ status: 'GREEN' }]);

  // The dashboard says where it stands, and is put in order by the keyboard.
  await page.getByRole('link', { name: 'Revue de l’atelier' }).first().click();
  const tile = page.getByRole('article', { name: 'Marche du broyeur', exact: true });
  await expect(tile.getByText('71,50\u00a0%')).toBeVisible();
  await expect(tile.getByText(fr.status.RED)).toBeVisible();
  await expect(tile.getByText(fr.tile.stale)).toBeVisible();
  await expect(tile.getByText(/-25,20/)).toContainText(fr.change.worse);
  await expect(
    page.getByRole('article', { name: 'Coût de la graisse', exact: true }).getByText(fr.status.GREEN),
  ).toBeVisible();
  const map = page.getByRole('region', { name: `Statuts par période : ${fr.frequency.MONTHLY}` });
  await expect(map.getByRole('row')).toHaveCount(3);
  await inBothThemes(page, () => expectNoBarriers(page));
  await page.getByRole('button', { name: fr.board.arrange }).click();
  await page.getByRole('button', { name: /Déplacer « Marche du broyeur »/ }).focus();
  await page.keyboard.press('Alt+ArrowRight');
  await expect(
    page.getByRole('button', { name: /Déplacer « Marche du broyeur », place 2 sur 2/ }),
  ).toBeFocused();
  await page.getByRole('button', { name: fr.arrange.save }).click();
  await expect(toasts(page).filter({ hasText: fr.arrange.done })).toBeVisible();
  // The record is an article too, the first.
  await expect(page.getByRole('article').nth(1)).toHaveAccessibleName('Coût de la graisse');

  // From the tile to the indicator: the signal in words, an action, a comment.
  await tile.getByRole('link', { name: 'Marche du broyeur' }).click();
  await expect(page.getByText(/^Signal : valeur hors des limites de contrôle/)).toContainText('déc.');
  await page.getByRole('checkbox', { name: fr.chart.layer.control }).check();
  await page.getByRole('button', { name: fr.chart.span.quarter }).click();
  await page.getByText(fr.chart.table).click();
  await expect(page.getByRole('rowheader', { name: `T4 ${LAST_YEAR}` })).toBeVisible();
  await page.getByRole('button', { name: fr.chart.span.period }).click();
  await inBothThemes(page, () => expectNoBarriers(page));
  await page.getByRole('button', { name: /Plans d’action/ }).click();
  const acting = page.getByRole('dialog');
  await acting.getByLabel('Titre').fill('Remplacer le palier');
  await acting.getByRole('button', { name: words.action.create, exact: true }).click();
  await expect(acting).toHaveCount(0);
  const activity = page.getByRole('complementary', { name: words.record.activity });
  await activity.getByRole('textbox').fill('Palier commandé.');
  await activity.getByRole('button', { name: words.comment.send, exact: true }).click();
  await expect(activity.getByText('Palier commandé.')).toBeVisible();

  // A value is corrected; its colour follows.
  const november = new RegExp(`nov. ${LAST_YEAR}`);
  await page.getByRole('button', { name: /Corriger la valeur de nov/ }).click();
  const correcting = page.getByRole('dialog', { name: november });
  await correcting.getByLabel('Valeur').fill('91');
  await correcting.getByRole('button', { name: words.action.save, exact: true }).click();
  await expect(correcting).toHaveCount(0);
  const rows = page.getByRole('region', { name: fr.values.title, exact: true }).getByRole('row');
  await expect(rows.filter({ hasText: november })).toContainText(fr.status.ORANGE);

  // The meeting.
  await page.goto('/p/direction');
  const risk = page
    .getByRole('region', { name: fr.direction.risks })
    .first()
    .getByRole('row')
    .filter({ hasText: 'Marche du broyeur' });
  await expect(risk).toContainText('71,50\u00a0%');
  await expect(risk).toContainText(fr.status.RED);
  await expect(page.getByRole('link', { name: 'Remplacer le palier' })).toBeVisible();
  await inBothThemes(page, () => expectNoBarriers(page));
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByRole('button', { name: fr.direction.present })).toBeHidden();
  await expect(risk).toBeVisible();
  await page.emulateMedia({ media: 'screen' });
  await page.getByRole('button', { name: fr.direction.present }).click();
  const stage = page.getByRole('dialog', { name: fr.present.label });
  await expect(stage).toBeVisible();
  const heading = stage.getByRole('heading', { level: 1 });
  await page.keyboard.press('ArrowRight');
  await expect(heading).toContainText('Principaux risques');
  // One slide a dashboard, in the order of the page: those of the demo company too.
  await expect(async () => {
    await page.keyboard.press('ArrowRight');
    await expect(heading).toHaveText('Revue de l’atelier', { timeout: 500 });
  }).toPass();
  await expect(stage.getByRole('article', { name: 'Marche du broyeur' })).toBeVisible();
  await expectNoBarriers(page);
  await page.keyboard.press('Escape');
  await expect(stage).toHaveCount(0);
  await page
    .getByRole('region', { name: fr.direction.boards })
    .getByRole('listitem')
    .filter({ hasText: 'Revue de l’atelier' })
    .getByRole('link', { name: '1 rouge' })
    .click();
  await expect(page.getByRole('row').filter({ hasText: 'Marche du broyeur' })).toBeVisible();
  await expect(page.getByRole('row').filter({ hasText: 'Coût de la graisse' })).toHaveCount(0);

  for (const address of [`/r/dashboards/${board?.id}`, '/p/direction', `/p/kpi-entry?open=${board?.id}`]) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(address);
    await expect(page.getByRole('main').getByText('Marche du broyeur').first()).toBeVisible();
    await expectNothingBeyondTheEdge(page);
  }
});

test('a wall follows what is entered elsewhere', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  const board = await api.create('dashboards', { title: 'Mur' });
  const kpi = await api.create('kpis', {
    dashboard_id: board.id,
    name: 'Pannes',
    direction: 'DOWN_IS_BETTER',
    threshold_green: '2',
    threshold_orange: '4',
    decimals: 0,
  });
  await signIn(page, ADMIN, `/p/kiosk?open=${board.id}`);
  const tile = page.getByRole('article', { name: 'Pannes' });
  await expect(tile.getByText(fr.tile.no_value)).toBeVisible();
  await api.create('kpi-values', { kpi_id: kpi.id, period_start: `${LAST_YEAR}-05-01`, value: '5' });
  await expect(tile.getByText(fr.status.RED)).toBeVisible();
  await expectNoBarriers(page);
  await page.keyboard.press('Escape');
  await expect(page).toHaveURL(new RegExp(`/r/dashboards/${board.id}`));
});
