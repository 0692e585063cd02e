// How much script a browser reads before the list of tickets stands there, compressed. Fails above the limit.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const LIMIT = 250 * 1024;
const PAGES = [
  'index.html',
  'src/routes/_app.tsx?tsr-split=component',
  'src/routes/_app.r.$collection.tsx?tsr-split=component',
];
/** One language is read; French is the longest. */
const LOCALE = 'src/locales/fr.json';

const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'));
const files = new Set();

function take(key) {
  const chunk = manifest[key];
  if (!chunk) {
    throw new Error(`${key} is not in the build: has a route been renamed?`);
  }
  if (!files.has(chunk.file)) {
    files.add(chunk.file);
    for (const imported of chunk.imports ?? []) {
      take(imported);
    }
  }
}

for (const page of [...PAGES, LOCALE]) {
  take(page);
}

let total = 0;
for (const file of files) {
  const size = gzipSync(readFileSync(`dist/${file}`), { level: 9 }).length;
  total += size;
  process.stdout.write(`${(size / 1024).toFixed(1).padStart(8)} KiB  ${file}\n`);
}
process.stdout.write(`${(total / 1024).toFixed(1).padStart(8)} KiB  first load, limit ${LIMIT / 1024}\n`);
if (total > LIMIT) {
  process.exitCode = 1;
}
