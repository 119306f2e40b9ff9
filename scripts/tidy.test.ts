import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tidy } from './tidy.ts';

let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'headrace-tidy-'));
});

afterEach(() => {
  rmSync(home, { recursive: true });
});

function write(path: string, text: string) {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}

function messages() {
  return tidy(home, { filesMin: 1, folders: ['packages'] }).findings.map(
    ({ path, line, message }) => `${path}:${line}: ${message}`,
  );
}

test('a tree in order has no findings', () => {
  write(
    'packages/core/src/plan.ts',
    "import type { Job } from '@headrace/api';\nexport const plan = (job: Job) => job;\n",
  );

  expect(messages()).toEqual([]);
});

test('a walk that sees too few files fails', () => {
  write('packages/core/src/plan.ts', '');

  expect(() => tidy(home, { folders: ['packages'] })).toThrow('tidy saw 1 files');
  expect(() => tidy(home, { filesMin: 1 })).toThrow('tidy saw no file below python');
});

test.each([
  ['packages/api/src/a.ts', "import { x } from '@headrace/core';", 'api must not import @headrace/core'],
  ['packages/api/src/a.ts', "import { readFileSync } from 'node:fs';", 'api must not import node:fs'],
  [
    'packages/core/src/a.ts',
    "import { x } from '@headrace/api';",
    'core may import only types from @headrace/api',
  ],
  ['packages/core/src/a.ts', 'const now = Date.now();', 'core cannot use Date.now: pass it in'],
  [
    'packages/worker/src/a.ts',
    "import type { x } from '@headrace/server';",
    'worker must not import @headrace/server',
  ],
  [
    'packages/server/src/a.ts',
    "import { x } from '@headrace/worker';",
    'server may import only types from @headrace/worker',
  ],
  ['packages/web/src/a.ts', "import path from 'node:path';", 'web runs in browsers: no node:*'],
  [
    'packages/cli/src/a.ts',
    "import { x } from '../../server/src/x.ts';",
    '../../server/src/x.ts leaves the package: import it by its name',
  ],
  [
    'packages/server/src/runs/handlers.ts',
    "import { x } from './store.ts';",
    'handlers call use cases, not the store',
  ],
  [
    'packages/server/src/runs/create-run.ts',
    "import {\n  x,\n} from '../jobs/store.ts';",
    'jobs/store.ts is private to its folder: call a use case of jobs',
  ],
  [
    'packages/server/src/runs/a.ts',
    'const home = process.env.HOME;',
    'process.env is read in config.ts only',
  ],
  ['packages/bundle/src/utils.ts', '', 'the name utils says nothing: name the file for its main export'],
  ['packages/bundle/src/a.ts', 'const data = 1;', 'the name data says nothing'],
  ['packages/bundle/src/index.ts', "export * from './a.ts';", 'name each export'],
  ['packages/bundle/src/load/index.ts', '', 'no barrels: only a package has an index.ts'],
  ['packages/bundle/src/a.ts', '// TODO: later', 'a TODO names its issue: TODO(#7)'],
])('%s with %j: %s', (path, text, message) => {
  write(path, text);

  expect(messages()).toEqual([`${path}:1: ${message}`]);
});

test('main.ts of the server composes the worker', () => {
  write('packages/server/src/main.ts', "import { startWorker } from '@headrace/worker';");

  expect(messages()).toEqual([]);
});

test('long files and long Python functions are found', () => {
  write('packages/bundle/src/long.ts', 'const a = 1;\n'.repeat(401));
  write(
    'packages/bundle/long.py',
    `def main(\n    a: int,\n) -> int:\n${'    a += 1\n'.repeat(68)}\n\nmain(1)\n`,
  );

  expect(messages()).toEqual([
    'packages/bundle/long.py:1: a function of 71 lines; at most 70',
    'packages/bundle/src/long.ts:401: 401 lines; at most 400',
  ]);
});
