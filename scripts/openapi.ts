/** Writes packages/api/openapi.json from the route table; with `--check` it only says whether the file is fresh. */
import { readFileSync, writeFileSync } from 'node:fs';
import { buildOpenApi } from '../packages/api/src/openapi.ts';
import { routes } from '../packages/api/src/routes.ts';

const file = new URL('../packages/api/openapi.json', import.meta.url);
const { version } = JSON.parse(
  readFileSync(new URL('../packages/api/package.json', import.meta.url), 'utf8'),
);
const wanted = `${JSON.stringify(buildOpenApi(routes, version), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, wanted);
  console.log(`openapi: wrote packages/api/openapi.json, ${Object.keys(routes).length} routes`);
} else if (readFileSync(file, 'utf8') === wanted) {
  console.log(`openapi: packages/api/openapi.json is fresh, ${Object.keys(routes).length} routes`);
} else {
  console.error(
    'openapi: packages/api/openapi.json is not what the route table says; run `npm run openapi` and commit it',
  );
  process.exitCode = 1;
}
