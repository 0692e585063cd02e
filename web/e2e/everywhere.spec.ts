// What must hold on every page: no barrier, no missing word, nothing beyond the edge of any screen.
import { expect, type Page, test } from '@playwright/test';
import { expectNoBarriers, expectNothingBeyondTheEdge, expectWords } from './checks';
import { PLACES } from './pages';
import { type Locale, type Person, signIn, WORDS } from './people';

// Some fifteen pages each: side by side, and with time for all of them.
test.describe.configure({ mode: 'parallel', timeout: 300_000 });

/** Each page in turn; the person changes once, from the desk to self-service. */
async function onEveryPage(page: Page, locale: Locale, check: () => Promise<void>): Promise<void> {
  let person: Person | null = null;
  for (const place of PLACES) {
    await test.step(place.name, async () => {
      if (person !== place.as) {
        person = place.as;
        await page.context().clearCookies();
        await signIn(page, person, '/live');
      }
      await place.open(page, WORDS[locale]);
      await check();
    });
  }
}

test.describe('in French, light', () => {
  test.use({ locale: 'fr-FR', colorScheme: 'light' });
  test('no barrier for anybody (WCAG 2.1 AA), and no missing word', async ({ page }) => {
    await onEveryPage(page, 'fr-FR', async () => {
      await expectNoBarriers(page);
      await expectWords(page);
    });
  });
});

test.describe('in English, dark', () => {
  test.use({ locale: 'en-GB', colorScheme: 'dark' });
  test('no barrier for anybody (WCAG 2.1 AA), and no missing word', async ({ page }) => {
    await onEveryPage(page, 'en-GB', async () => {
      await expectNoBarriers(page);
      await expectWords(page);
    });
  });
});

for (const locale of ['es-ES', 'pt-PT'] as const) {
  test.describe(locale, () => {
    // As wide as a tablet held upright: the words of these languages are long too.
    test.use({ locale, viewport: { width: 820, height: 1180 } });
    test('every word is translated, and finds its place', async ({ page }) => {
      await onEveryPage(page, locale, async () => {
        await expectWords(page);
        await expectNothingBeyondTheEdge(page);
        await expect(page.locator('html')).toHaveAttribute('lang', locale.slice(0, 2));
      });
    });
  });
}

test.describe('on a phone, in French', () => {
  test.use({ locale: 'fr-FR', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  test('nothing stands beyond the edge, and no barrier comes with the small screen', async ({ page }) => {
    await onEveryPage(page, 'fr-FR', async () => {
      await expectNothingBeyondTheEdge(page);
      await expectNoBarriers(page);
    });
  });
});

test.describe('at 200 % zoom, in French', () => {
  test.use({ locale: 'fr-FR', viewport: { width: 640, height: 360 }, deviceScaleFactor: 2 });
  test('nothing stands beyond the edge', async ({ page }) => {
    await onEveryPage(page, 'fr-FR', () => expectNothingBeyondTheEdge(page));
  });
});
