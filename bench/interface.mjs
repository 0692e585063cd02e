// How fast the interface feels, in a real browser: node bench/interface.mjs ADDRESS EMAIL PASSWORD
//
// Milliseconds from what a person does to what he sees, the middle and the worst of ten times. The
// machine decides about them, so they are no test; docs/performance.md says what they were.
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../web/package.json', import.meta.url))('@playwright/test');
const [address, email, password] = process.argv.slice(2);
const TIMES = 10;
const WORDS = ['imp', 'res', 'acc', 'ecr', 'mot', 'vpn', 'log', 'ser', 'mai', 'tel'];

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ locale: 'fr-FR', viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
const signedIn = await page.request.post(`${address}/api/v1/auth/login`, {
  headers: { 'X-Requested-With': 'opsflux' },
  data: { email, password },
});
if (!signedIn.ok()) {
  throw new Error(`log-in: ${signedIn.status()}`);
}

const row = () => page.getByRole('row').nth(1).getByRole('gridcell').nth(2);

async function timed(what, prepare, act, seen) {
  const taken = [];
  for (let time = 0; time < TIMES; time += 1) {
    await prepare(time);
    const start = performance.now();
    await act(time);
    await seen(time);
    taken.push(performance.now() - start);
  }
  taken.sort((a, b) => a - b);
  console.log(`${what.padEnd(52)} ${taken[TIMES / 2].toFixed(0)} ms, at most ${taken.at(-1).toFixed(0)} ms`);
}

const nothing = async () => {};

await timed('the list from its address', nothing, () => page.goto(`${address}/r/tickets`), () => row().waitFor());

await timed(
  'the list from the sidebar',
  () => page.goto(`${address}/r/sites`).then(() => row().waitFor()),
  () => page.locator('a[href="/r/tickets"]').first().click(),
  () => page.locator('[role=row] >> text=/TIC-/').first().waitFor(),
);

let before = '';
await timed(
  'three letters typed, the list narrowed',
  async () => {
    await page.goto(`${address}/r/tickets`);
    await row().waitFor();
    await page.getByRole('searchbox').click();
    before = await page.getByRole('grid').innerText();
  },
  async (time) => {
    await page.keyboard.type(WORDS[time]);
  },
  () => page.waitForFunction((was) => document.querySelector('[role=grid]')?.innerText !== was, before),
);

await timed(
  'a ticket from the list',
  () => page.goto(`${address}/r/tickets`).then(() => row().waitFor()),
  () => row().click(),
  () => page.getByRole('article').getByRole('heading').first().waitFor(),
);

await timed(
  'a ticket from its address',
  nothing,
  (time) => page.goto(`${address}/r/tickets/TIC-00${String(100 + time * 371).padStart(4, '0')}`),
  () => page.getByRole('heading').nth(1).waitFor(),
);
await browser.close();
