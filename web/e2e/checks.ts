/** What must hold on every page, whatever it is about. */
import AxeBuilder from '@axe-core/playwright';
import { expect, type Locator, type Page } from '@playwright/test';
import en from '../src/locales/en.json' with { type: 'json' };

/** The page has come to rest: nothing is being read, nothing moves. */
async function settled(page: Page): Promise<void> {
  await expect(page.locator('.animate-pulse')).toHaveCount(0);
  await page.evaluate(async () => {
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect?.getTiming().iterations !== Infinity);
    await Promise.allSettled(ending.map(({ finished }) => finished));
  });
}

/** WCAG 2.1 AA, every rule axe knows, whatever its impact. */
export async function expectNoBarriers(page: Page): Promise<void> {
  await settled(page);
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`)).toEqual([]);
}

/** Nothing stands beyond the right edge, where it could only be read by scrolling the page sideways. */
export async function expectNothingBeyondTheEdge(page: Page): Promise<void> {
  await settled(page);
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wider).toBeLessThanOrEqual(0);
}

function keysOf(words: object, prefix = ''): string[] {
  return Object.entries(words).flatMap(([name, value]) =>
    typeof value === 'object' ? keysOf(value, `${prefix}${name}.`) : `${prefix}${name}`,
  );
}

/** Where a translation is missing its key is shown: `grid.create`, or `{{count}}` where a value is. */
export async function expectWords(page: Page): Promise<void> {
  await settled(page);
  const read = await page.evaluate(() => {
    const spoken = [...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap((element) =>
      ['aria-label', 'title', 'placeholder'].map((name) => element.getAttribute(name) ?? ''),
    );
    return [document.body.innerText, ...spoken].join('\n');
  });
  const raw = keysOf(en).filter((key) =>
    new RegExp(`(^|\\s)${key.replaceAll('.', '\\.')}($|\\s)`).test(read),
  );
  expect(raw).toEqual([]);
  expect(read).not.toMatch(/\{\{|\}\}|undefined|\[object/);
}

export function toasts(page: Page): Locator {
  return page.locator('[data-sonner-toast]');
}
