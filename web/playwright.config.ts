// Browser tests drive the real server, built by `cargo build`, on a data folder of their own.
import { defineConfig } from '@playwright/test';

const address = '127.0.0.1:8199';

export default defineConfig({
  testDir: 'e2e',
  workers: 1,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    baseURL: `http://${address}`,
    actionTimeout: 15_000,
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
    command: `rm -rf ../target/e2e && ../target/debug/opsflux serve --data ../target/e2e --listen ${address}`,
    url: `http://${address}/live`,
    timeout: 60_000,
    env: {
      OPSFLUX_MODE: 'development',
      OPSFLUX_ADMIN_EMAIL: 'admin@opsflux.test',
      OPSFLUX_ADMIN_PASSWORD: 'Browser-Test-2026',
    },
  },
});
