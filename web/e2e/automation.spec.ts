// A rule is built without code, put in force, followed, and answered by the person it asks.
import { expect, type Locator, type Page, test } from '@playwright/test';
import { expectNoBarriers, expectNothingBeyondTheEdge, toasts } from './checks';
import { ADMIN, Api, MANAGER, signIn, WORDS, windowOf } from './people';

test.use({ locale: 'fr-FR' });

const words = WORDS['fr-FR'];
const { automation } = words;

function filled(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_place, name: string) => String(values[name] ?? ''));
}

async function newRule(page: Page, api: Api, name: string): Promise<string> {
  await signIn(page, ADMIN, '/r/workflows?create=true');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').first().fill(name);
  await dialog.getByRole('button', { name: words.action.create, exact: true }).click();
  await expect(dialog).toHaveCount(0);
  const [rule] = await api.list(`/workflows?name=${encodeURIComponent(name)}`);
  expect(rule).toBeDefined();
  return String(rule?.id);
}

async function addStep(page: Page, name: string): Promise<Locator> {
  const steps = page.getByRole('listitem', { name: new RegExp(`: ${name}$`) });
  const before = await steps.count();
  await page.getByRole('button', { name: automation.add_step }).click();
  await page.getByRole('menuitem', { name, exact: true }).click();
  await expect(steps).toHaveCount(before + 1);
  return steps.last();
}

async function addField(step: Locator, field: string, value: string) {
  await step.getByRole('button', { name: automation.add_field }).click();
  await step.getByRole('combobox', { name: automation.field }).last().selectOption({ label: field });
  await step.getByRole('textbox', { name: filled(automation.value_of, { label: field }) }).fill(value);
}

test('a person without code builds a rule, and what it does is seen to its end', async ({
  page,
  browser,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const id = await newRule(page, api, 'Panne critique');
  await page.goto(`/r/workflows/${id}`);

  await page.getByRole('combobox', { name: automation.trigger.entity }).selectOption({ label: 'Ticket' });
  const conditions = page.getByRole('region', { name: automation.if, exact: true });
  await conditions.getByRole('button', { name: automation.add_condition }).click();
  await conditions
    .getByRole('textbox', { name: filled(automation.value_of, { label: 'Titre' }) })
    .fill('Panne');
  await conditions.getByRole('button', { name: automation.add_condition }).click();
  await conditions
    .getByRole('combobox', { name: automation.field })
    .last()
    .selectOption({ label: 'Priorité' });
  await conditions
    .getByRole('combobox', { name: filled(automation.value_of, { label: 'Priorité' }) })
    .selectOption({ label: 'Critique' });

  const update = await addStep(page, automation.action.update_field);
  await addField(update, 'Description', 'Prise en charge de ');
  await update.getByRole('button', { name: automation.insert_variable }).click();
  await page.keyboard.type('Titre');
  await page.keyboard.press('Enter');
  await expect(
    update.getByRole('textbox', { name: filled(automation.value_of, { label: 'Description' }) }),
  ).toHaveValue('Prise en charge de {{ title }}');
  const child = await addStep(page, automation.action.create_child);
  await addField(child, 'Titre', 'Commander pièce de rechange');
  const approval = await addStep(page, automation.action.request_approval);
  await approval.getByRole('combobox', { name: automation.approval.approvers }).fill('Sylvie');
  await page.getByRole('option', { name: /^Sylvie/ }).click();
  await expect(approval.getByRole('listitem').filter({ hasText: 'Sylvie' })).toBeVisible();
  await expectNoBarriers(page);

  // Nothing was sent yet, and nothing is lost.
  page.on('dialog', (question) => void question.accept());
  await page.reload();
  await expect(approval).toBeVisible();
  await page.getByRole('button', { name: words.action.save, exact: true }).click();
  await expect(toasts(page).filter({ hasText: words.record.saved })).toBeVisible();
  const active = page.getByRole('switch', { name: automation.in_force });
  await active.click();
  await expect(active).toBeChecked();

  const ticket = await api.create('tickets', { title: 'Panne du compresseur', priority: 'critical' });
  await api.create('tickets', { title: 'Panne sans gravité', priority: 'low' });

  const manager = await windowOf(browser, MANAGER, '/r/approvals', 'fr-FR');
  const asked = manager
    .getByRole('region', { name: automation.inbox.mine })
    .getByRole('listitem')
    .filter({ hasText: 'Panne du compresseur' });
  await expect(asked).toBeVisible();
  await expectNoBarriers(manager);
  await asked.getByRole('textbox', { name: automation.approval.comment }).fill('D’accord');
  await asked.getByRole('button', { name: automation.approval.approve }).click();
  await expect(
    manager.getByRole('region', { name: automation.inbox.done }).getByText('Panne du compresseur').first(),
  ).toBeVisible();
  await manager.context().close();

  const [execution] = await api.list(`/executions?workflow=${id}&record=${ticket.id}`);
  await page.goto(`/r/executions/${execution?.id}`);
  await expect(page.getByText('Réussie').first()).toBeVisible();
  await expect(
    page.getByText('Priorité valait « Critique », il fallait : est égal à « Critique »'),
  ).toBeVisible();
  const steps = page.getByRole('region', { name: automation.execution.steps, exact: true });
  await expect(steps.getByRole('listitem')).toHaveCount(3);
  await expect(steps.getByText('Faite', { exact: true })).toHaveCount(3);
  await expectNoBarriers(page);

  const children = await api.list(`/tickets?parent=${ticket.id}`);
  expect(children).toMatchObject([{ title: 'Commander pièce de rechange' }]);
  const [changed] = await api.list(`/tickets?id=${ticket.id}`);
  expect(changed?.description).toContain('Prise en charge de Panne du compresseur');
});

test('what the server refuses stands at its step, and steps are put in order by keyboard', async ({
  page,
  request,
}) => {
  const api = await Api.as(request, ADMIN);
  const rule = await api.create('workflows', {
    name: 'À corriger',
    trigger: { type: 'record_created', entity: 'ticket' },
    actions: [{ type: 'comment', params: { body: 'Vu' } }],
  });
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn(page, ADMIN, `/r/workflows/${rule.id}`);
  const wait = await addStep(page, automation.action.wait);
  await page.getByRole('button', { name: words.action.save, exact: true }).click();
  await expect(page.getByRole('alert').first()).toBeFocused();
  await expect(wait.getByText('À remplir.')).toBeVisible();
  await wait.getByRole('spinbutton', { name: new RegExp(automation.wait.duration) }).fill('2');
  await page.keyboard.press('Alt+ArrowUp');
  await expect(page.getByRole('listitem', { name: `Étape 1 : ${automation.action.wait}` })).toBeVisible();
  await expectNothingBeyondTheEdge(page);
  await page.getByRole('button', { name: words.action.save, exact: true }).click();
  await expect(toasts(page).filter({ hasText: words.record.saved })).toBeVisible();
  const [saved] = await api.list(`/workflows?id=${rule.id}`);
  expect(saved?.actions).toMatchObject([
    { type: 'wait', params: { for: '2h' } },
    { type: 'comment', id: 'action_1' },
  ]);
});

test('a rule is run for a record that is looked for by its title', async ({ page, request }) => {
  const api = await Api.as(request, ADMIN);
  const ticket = await api.create('tickets', { title: 'Ascenseur bloqué au quai' });
  const rule = await api.create('workflows', {
    name: 'À la main',
    trigger: { type: 'manual', entity: 'ticket' },
    actions: [{ type: 'comment', params: { body: 'Vu' } }],
  });
  await signIn(page, ADMIN, `/r/workflows/${rule.id}`);
  await page.getByRole('button', { name: automation.run.open }).click();
  const dialog = page.getByRole('dialog', { name: automation.run.title });
  await dialog.getByRole('combobox').fill('Ascenseur bloqué');
  await page.getByRole('option', { name: /Ascenseur bloqué au quai/ }).click();
  await dialog.getByRole('button', { name: automation.run.go, exact: true }).click();
  await expect(page).toHaveURL(/\/r\/executions\//);
  await expect(page.getByText('Réussie').first()).toBeVisible();
  const comments = await api.list(`/tickets/${ticket.number}/comments`);
  expect(comments).toMatchObject([{ body: 'Vu' }]);
});
