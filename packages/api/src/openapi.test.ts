import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { buildOpenApi } from './openapi.ts';
import { routes } from './routes.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const document = buildOpenApi(routes, version);
const text = JSON.stringify(document);

test('the committed file is what the route table says (npm run openapi)', () => {
  const committed = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8'));

  expect(committed).toEqual(JSON.parse(text));
});

test('every reference leads somewhere', () => {
  const names = new Set([...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map((match) => match[1]));
  const { schemas } = document.components as { schemas: Record<string, unknown> };

  expect(names.size).toBeGreaterThan(20);
  for (const name of names) expect(schemas).toHaveProperty(name ?? '');
  expect(text).not.toContain('$defs');
});

test('only open routes need no token', () => {
  const operations = Object.values(
    document.paths as Record<string, Record<string, Record<string, unknown>>>,
  ).flatMap((methods) => Object.values(methods));

  expect(operations.length).toBe(Object.keys(routes).length);
  for (const operation of operations)
    expect('security' in operation).toBe(operation['x-permission'] === 'open');
});
