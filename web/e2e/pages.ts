/** Every page there is, and the states of it that look different: what must hold anywhere is asked of each. */
import { expect, type Page } from '@playwright/test';
import { ADMIN, type Person, REQUESTER, type Words } from './people';

export interface Place {
  name: string;
  as: Person;
  open: (page: Page, words: Words) => Promise<unknown>;
}

async function firstTicket(page: Page): Promise<string> {
  const answer = await page.request.get('/api/v1/tickets?limit=1&sort=created_at&fields=number');
  return (await answer.json()).items[0].number;
}

async function grid(page: Page) {
  await expect(page.getByRole('row').nth(1)).toBeVisible();
}

export const PLACES: Place[] = [
  {
    name: 'home',
    as: ADMIN,
    open: async (page) => {
      await page.goto('/');
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    },
  },
  {
    name: 'list',
    as: ADMIN,
    open: async (page) => {
      await page.goto('/r/tickets');
      await grid(page);
    },
  },
  {
    name: 'filter builder',
    as: ADMIN,
    open: async (page, words) => {
      await page.goto(
        `/r/tickets?filter=${encodeURIComponent('{"field":"priority","op":"in","value":["high","critical"]}')}`,
      );
      await grid(page);
      await page.getByRole('button', { name: words.filter.add, exact: true }).click();
      await expect(page.getByRole('option').first()).toBeVisible();
    },
  },
  {
    name: 'display options',
    as: ADMIN,
    open: async (page, words) => {
      await page.goto('/r/assets');
      await grid(page);
      await page.getByRole('button', { name: words.grid.display }).click();
      await expect(page.getByRole('heading', { name: words.grid.sorted_by })).toBeVisible();
    },
  },
  {
    name: 'bulk bar',
    as: ADMIN,
    open: async (page, words) => {
      await page.goto('/r/tickets');
      await grid(page);
      await page.getByRole('row').nth(1).getByRole('gridcell').first().click();
      await expect(page.getByRole('region', { name: words.bulk.bar })).toBeVisible();
    },
  },
  {
    name: 'create dialog',
    as: ADMIN,
    open: async (page) => {
      await page.goto('/r/tickets?create=true');
      await expect(page.getByRole('dialog').getByRole('textbox').first()).toBeVisible();
    },
  },
  {
    name: 'record',
    as: ADMIN,
    open: async (page, words) => {
      await page.goto(`/r/tickets/${await firstTicket(page)}`);
      await expect(page.getByRole('tab', { name: words.record.files })).toBeVisible();
    },
  },
  {
    name: 'record, being written',
    as: ADMIN,
    open: async (page, words) => {
      await page.goto(`/r/tickets/${await firstTicket(page)}`);
      await page.getByRole('button', { name: words.record.edit_all }).click();
      await expect(page.getByRole('combobox').first()).toBeVisible();
    },
  },
  {
    name: 'palette',
    as: ADMIN,
    open: async (page) => {
      await page.goto('/');
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.keyboard.press('Control+k');
      await expect(page.getByRole('option').first()).toBeVisible();
    },
  },
  {
    name: 'shortcuts',
    as: ADMIN,
    open: async (page, words) => {
      await page.goto('/');
      await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: words.shortcuts.title })).toBeVisible();
    },
  },
  {
    name: 'approvals',
    as: ADMIN,
    open: async (page, words) => {
      await page.goto('/r/approvals');
      await expect(page.getByRole('link', { name: words.automation.inbox.table })).toBeVisible();
    },
  },
  {
    name: 'account',
    as: ADMIN,
    open: async (page, words) => {
      await page.goto('/account');
      await expect(page.getByText(words.account.this_device).first()).toBeVisible();
    },
  },
  {
    name: 'not found',
    as: ADMIN,
    open: async (page, words) => {
      await page.goto('/nowhere');
      await expect(page.getByRole('heading', { name: words.problem.missing_title })).toBeVisible();
    },
  },
  {
    name: 'self-service',
    as: REQUESTER,
    open: async (page, words) => {
      await page.goto('/self-service');
      await expect(page.getByLabel(words.self_service.ask_title)).toBeVisible();
      await expect(page.getByRole('heading', { name: words.self_service.mine })).toBeVisible();
    },
  },
  {
    name: 'a request',
    as: REQUESTER,
    open: async (page, words) => {
      await page.goto(`/p/self-service?open=${await firstTicket(page)}`);
      await expect(page.getByRole('region', { name: words.self_service.standing })).toBeVisible();
    },
  },
];
