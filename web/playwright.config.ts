// Browser tests drive the real server, built by `cargo build`, with a demo company in a data folder of its own.
import { defineConfig } from '@playwright/test';

const address = '127.0.0.1:8199';
const program = '../target/debug/opsflux';
const data = '../target/e2e';

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './e2e/language.ts',
  workers: 2,
  fullyParallel: false,
  retries: 0,
  // On a machine that also compiles: slow is not wrong.
  timeout: 120_000,
  expect: { timeout: 25_000 },
  reporter: [['list']],
  use: {
    baseURL: `http://${address}`,
    actionTimeout: 25_000,
    timezoneId: 'Africa/Libreville',
    viewport: { width: 1440, height: 900 },
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  webServer: {
    command: `rm -rf ${data} && ${program} demo --tickets 150 --data ${data} && ${program} serve --data ${data} --listen ${address}`,
    url: `http://${address}/live`,
    timeout: 60_000,
    env: {
      OPSFLUX_MODE: 'development',
      OPSFLUX_ADMIN_EMAIL: 'admin@opsflux.test',
      OPSFLUX_ADMIN_PASSWORD: 'Browser-Test-2026',
      // The whole run comes from one address, faster than any person.
      OPSFLUX_HTTP__RATE_LIMIT: '0',
    },
  },
});
