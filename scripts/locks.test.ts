import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './run-command.ts';

interface LockEntry {
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockEntry>>;
};

test('package-lock.json names no registry', () => {
  const hosts = Object.entries(lock.packages).filter(([, { resolved }]) => /^https?:/.test(resolved ?? ''));

  expect(hosts.map(([path]) => path)).toEqual([]);
});

// npm ci refuses a lock without them; scripts/complete-lock.mjs adds them.
test('package-lock.json holds the optional packages of every platform', () => {
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        lock.packages[`${path}/node_modules/${name}`] === undefined &&
        lock.packages[`node_modules/${name}`] === undefined,
    ),
  );

  expect(missing).toEqual([]);
});

test('every Python package is pinned, from no index in particular', () => {
  const text = readFileSync(join(root, 'python', 'requirements.lock.txt'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  expect(lines.filter((line) => !/^[a-z0-9-]+==[0-9][^ ]*( ; .+)?$/.test(line))).toEqual([]);
});

test('the installer of libraries is pinned with its hashes, from no index in particular', () => {
  const text = readFileSync(join(root, 'python', 'installer.lock.txt'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

  expect(lines[0]).toMatch(/^uv==[0-9.]+ \\$/);
  expect(lines.slice(1).filter((line) => !/^ {4}--hash=sha256:[0-9a-f]{64}( \\)?$/.test(line))).toEqual([]);
});
