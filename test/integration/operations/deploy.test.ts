/** What this machine can check of deploy/: names, paths and commands; images are built where there is a builder. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { listSettings } from '../../../packages/server/src/config.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const read = (name: string) => fs.readFileSync(path.join(repository, name), 'utf8');
const known = listSettings().map(({ env }) => env);

test.each(['deploy/headrace.service', 'deploy/headrace.env', 'deploy/Containerfile', 'deploy/compose.yaml'])(
  '%s names settings that there are',
  (name) => {
    const named = [...read(name).matchAll(/\bHEADRACE_[A-Z_]+\b/g)].map(([word]) => word);

    // Of the compose file itself.
    expect(named.filter((word) => !known.includes(word) && word !== 'HEADRACE_DB_PASSWORD')).toEqual([]);
    expect(named.length).toBeGreaterThan(0);
  },
);

test('every setting stands in the documentation, with its default', () => {
  const text = read('docs/operations.md');

  for (const { env } of listSettings()) expect(text).toContain(`\`${env}\``);
});

test('service and image start the program that there is', () => {
  for (const name of ['deploy/headrace.service', 'deploy/Containerfile']) {
    expect(read(name)).toContain('packages/server/src/main.ts');
    expect(read(name)).toContain('--conditions=source');
  }
  expect(fs.existsSync(path.join(repository, 'packages/server/src/main.ts'))).toBe(true);
});

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0;

test.runIf(hasSystemd)('systemd finds nothing wrong with the service', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-unit-'));
  const unit = path.join(folder, 'headrace.service');
  // Where the checkout lies here, and with the Node that runs this test.
  const text = read('deploy/headrace.service')
    .replace('/opt/headrace/node_modules/.bin/node', process.execPath)
    .replaceAll('/opt/headrace', repository.replace(/\/$/, ''));
  fs.writeFileSync(unit, text);

  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  fs.rmSync(folder, { recursive: true });

  expect(verified.stderr.split('\n').filter((line) => line.includes('headrace'))).toEqual([]);
  expect(verified.status).toBe(0);
});
