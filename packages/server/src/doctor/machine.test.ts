import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import type { LoopStatus } from '../loops/driver.ts';
import { type MachineSources, machineRules } from './machine.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-machine-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const nowMs = 10_000_000;
const loop = (changes: Partial<LoopStatus>): LoopStatus => ({
  ...{ name: 'wake', everyMs: 1_000, lastTurnAtMs: nowMs, lateMs: 0 },
  ...{ lastError: null, turns: 1, failures: 0 },
  ...changes,
});

async function findingsOf(changes: Partial<MachineSources> & { readonly loop?: LoopStatus } = {}) {
  const environment = { HEADRACE_STATE_DIR: folder, HEADRACE_RUNTIME_DIR: folder };
  const sources: MachineSources = {
    config: readConfig(environment),
    loops: { add() {}, wake() {}, status: () => [changes.loop ?? loop({})], stop: async () => {} },
    embeddedPid: () => 7,
    findKeyProblem: async () => null,
    ...changes,
  };
  const found = await Promise.all(machineRules.map((rule) => rule.find(sources, nowMs)));
  return found.flat().filter(({ kind }) => kind !== 'disk_space');
}

function writeRuntime(programs: object): void {
  fs.writeFileSync(path.join(folder, 'runtime.json'), JSON.stringify(programs));
}

test('a machine that is well has no findings', async () => {
  writeRuntime({ python: process.execPath, java: process.execPath });

  expect(await findingsOf()).toEqual([]);
});

test('a runtime that is missing or names a program that is not there is told with its cure', async () => {
  const [missing] = await findingsOf();
  writeRuntime({ python: path.join(folder, 'python'), java: process.execPath });
  const [broken] = await findingsOf();

  expect(missing).toMatchObject({ kind: 'runtime', message: expect.stringContaining('runtime.json') });
  expect(broken).toMatchObject({ kind: 'runtime', message: expect.stringContaining('cannot be executed') });
  expect(broken?.advice).toContain('npm run setup');
});

test('loops that fail, and loops that do not turn, are told apart', async () => {
  writeRuntime({});

  expect(await findingsOf({ loop: loop({ lastError: 'no' }) })).toMatchObject([{ severity: 'warning' }]);
  expect(await findingsOf({ loop: loop({ lateMs: 180_001 }) })).toMatchObject([
    { severity: 'error', message: expect.stringContaining('does not turn') },
  ]);
});

test('a PostgreSQL that is ours and away is an error, one of others is not ours to judge', async () => {
  writeRuntime({});

  expect(await findingsOf({ embeddedPid: () => null })).toMatchObject([{ kind: 'postgres_away' }]);
  expect(await findingsOf({ embeddedPid: null })).toEqual([]);
});
