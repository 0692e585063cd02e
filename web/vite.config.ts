import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import tailwindcss from '@tailwindcss/vite';
import { tanstackRouter } from '@tanstack/router-plugin/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const server = process.env.OPSFLUX_SERVER ?? 'http://127.0.0.1:8080';

/** Serves msw's worker to `npm run dev:mock` straight from the package, so that no build ever contains it. */
function mockWorker(): Plugin {
  const require = createRequire(import.meta.url);
  return {
    name: 'mock-worker',
    configureServer({ middlewares }) {
      middlewares.use('/mockServiceWorker.js', (_request, response) => {
        response.setHeader('Content-Type', 'text/javascript');
        response.end(readFileSync(require.resolve('msw/mockServiceWorker.js')));
      });
    },
  };
}

/** What every page needs, the log-in too; it changes only when a dependency does. */
const FIRST_LOAD =
  /node_modules\/(react|react-dom|scheduler|use-sync-external-store|@tanstack\/(react-router|router-core|history|react-store|store|react-query|query-core)|seroval.*|i18next|react-i18next|html-parse-stringify|void-elements|clsx|tailwind-merge|class-variance-authority)\//;
/** What menus, dialogs and fields are built on: everything behind the log-in needs it. */
const CONTROLS =
  /node_modules\/(@radix-ui|radix-ui|@floating-ui|react-remove-scroll.*|react-style-singleton|use-callback-ref|use-sidecar|get-nonce|aria-hidden)\//;
/** What only forms and record pages need: loaded with the first of them, not with a list. */
const FORMS =
  /web\/src\/(records\/(form\/(?!drafts)|fields\/(input\/|decimals|wall-clock|markdown))|ui\/(combobox|tabs)|api\/(upload|activity))/;
/** Our own pieces that several pages use, but for the two that are large and rarely needed. */
const SHARED =
  /web\/src\/(ui|api|reader|feedback|records\/(fields|link))\/(?!all-icons|markdown)|lucide-react\/dist\/esm\/(?!lucide-react|icons\/index)/;

export default defineConfig(({ mode }) => ({
  plugins: [
    tanstackRouter({ target: 'react', autoCodeSplitting: true, quoteStyle: 'single', semicolons: true }),
    react(),
    tailwindcss(),
    ...(mode === 'mock' ? [mockWorker()] : []),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    proxy: mode === 'mock' ? undefined : { '/api': server, '/docs': server, '/health': server },
  },
  build: {
    outDir: 'dist',
    manifest: true,
    sourcemap: false,
    target: 'es2023',
    // Small shared pieces go together: a hundred files of a few hundred bytes load slower than four.
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            { name: 'vendor', test: FIRST_LOAD, priority: 3 },
            { name: 'controls', test: CONTROLS, priority: 2 },
            { name: 'forms', test: FORMS, minShareCount: 2, priority: 2 },
            { name: 'shared', test: SHARED, minShareCount: 2, priority: 1 },
          ],
        },
      },
    },
    // The whole icon set is one chunk of its own, read only when a module asks for a rare icon.
    chunkSizeWarningLimit: 700,
  },
}));
