// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
// Whatever bytes a bundle is made of: loading, resolving and validating it ends, throws nothing, and places every
// finding where the files are.

import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadBundle } from '../src/load/load-bundle.ts';
import { readSources } from '../src/load/read-sources.ts';
import { formatProblem, showProblem } from '../src/problem.ts';
import { aBundleFolder, type BundleFolder, FACTS } from '../src/testing/bundle-folder.ts';
import { checkBundle } from '../src/validate/validate-bundle.ts';

const repository = path.resolve(import.meta.dirname, '../../..');
const seeds = globSync(['examples/*/databricks.yml', 'examples/*/resources/*.yml'], { cwd: repository }).map(
  (file) => readFileSync(path.join(repository, file), 'utf8'),
);

/** Pieces that mean something to the loader, the resolver or a rule. */
const piece = fc.constantFrom(
  '${var.a}',
  '${var.b.c[0]}',
  '${resources.jobs.daily.id}',
  '${bundle.',
  '${{job.id}}',
  '{{tasks.load.values.x}}',
  '{{',
  '*a',
  '&a ',
  '<<: ',
  '- ',
  ': ',
  '[',
  '}',
  '"',
  "'",
  '\t',
  '\r\n',
  '\n---\n',
  '\n  ',
  '# ',
  '!!binary ',
  '\u0000',
  '\uFEFF',
  'null',
  '~',
  '../',
  '__proto__',
  'toString',
  '1e999',
  '9007199254740993',
  'true',
);

/** A bundle of the repository in which stretches are doubled, taken out or replaced. */
const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(
      fc.tuple(fc.nat(), fc.nat({ max: 40 }), fc.oneof(piece, fc.constant(''), fc.string({ maxLength: 8 }))),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
  )
  .map(([seed, changes]) =>
    changes.reduce((text, [place, length, replacement]) => {
      const start = place % (text.length + 1);
      return text.slice(0, start) + replacement + text.slice(start + length);
    }, seed),
  );

/** A bundle of the repository in which some keys have other names, most of them names that mean something. */
const renamed = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom(
          '__proto__',
          'constructor',
          'toString',
          'tasks',
          'task',
          'targets',
          'jobs',
          'name',
          'permissions',
        ),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([seed, changes]) =>
    changes.reduce((text, [place, name]) => {
      const keys = [...text.matchAll(/^([ -]*)([\w]+):/gm)];
      const key = keys[place % keys.length];
      if (key === undefined) return text;
      const start = key.index + (key[1] ?? '').length;
      return text.slice(0, start) + name + text.slice(start + (key[2] ?? '').length);
    }, seed),
  );

async function check(folder: BundleFolder, content: string | Uint8Array): Promise<void> {
  await folder.write({ 'databricks.yml': content });
  const loaded = await loadBundle(folder.folder);

  const { bundle, problems } = checkBundle(loaded, { facts: FACTS, vars: { a: 'x' } });

  const sources = await readSources(folder.folder, problems);
  for (const problem of problems) {
    expect(showProblem(problem, sources).startsWith(`${problem.severity}: ${problem.file}:`)).toBe(true);
    expect(formatProblem(problem)).not.toMatch(/undefined|\[object/);
    expect(problem.line).toBeGreaterThan(0);
    if (sources.has(problem.file))
      expect(problem.line).toBeLessThanOrEqual((sources.get(problem.file)?.length ?? 0) + 1);
  }
  if (bundle === null) expect(problems.some(({ severity }) => severity === 'error')).toBe(true);
}

test('bytes are a bundle or have findings', async () => {
  await using folder = await aBundleFolder({});

  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), (bytes) => check(folder, bytes)),
    { numRuns: 150 },
  );
});

test('pieces of YAML are a bundle or have findings', async () => {
  await using folder = await aBundleFolder({});
  const name = fc.constantFrom(
    'bundle',
    'resources',
    'jobs',
    'tasks',
    'targets',
    'variables',
    'daily',
    'a',
    'include',
  );

  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(piece, name), { maxLength: 25 }), (pieces) =>
      check(folder, pieces.join('')),
    ),
    { numRuns: 300 },
  );
});

test('a bundle that somebody broke is a bundle or has findings', async () => {
  await using folder = await aBundleFolder({});

  await fc.assert(
    fc.asyncProperty(mutated, (text) => check(folder, text)),
    { numRuns: 300 },
  );
});

test('a bundle whose keys have other names is a bundle or has findings', async () => {
  await using folder = await aBundleFolder({});

  await fc.assert(
    fc.asyncProperty(renamed, (text) => check(folder, text)),
    { numRuns: 200 },
  );
});
