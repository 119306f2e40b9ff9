import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MARKER, takeCensus } from './census.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-census-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function findLeft(
  start: { args?: string[]; env?: Record<string, string>; cwd?: string },
  runId: string,
) {
  const left = spawn('tail', ['-f', ...(start.args ?? ['/dev/null'])], {
    env: { PATH: process.env.PATH, ...start.env },
    cwd: start.cwd ?? '/',
    stdio: 'ignore',
  });
  await once(left, 'spawn');
  const found = await takeCensus({ runId, folder }, { graceMs: 0 });
  left.kill();
  return { found: found?.map(({ pid }) => pid), pid: left.pid };
}

test.runIf(existsSync('/proc/self/environ')).each([
  ['its marker', (runId: string) => ({ env: { [MARKER]: runId } })],
  ['its folder among the variables', () => ({ env: { SOME_FOLDER: `${folder}/host` } })],
  ['its folder among the arguments', () => ({ args: [`${folder}/missing`, '/dev/null'] })],
  ['its folder as working folder', () => ({ cwd: folder })],
])('a process that a run left behind is found by %s', async (_, start) => {
  const runId = randomUUID();

  const { found, pid } = await findLeft(start(runId), runId);

  expect(found).toEqual([pid]);
});

test('another run’s process is not ours', async () => {
  const { found } = await findLeft({ env: { [MARKER]: randomUUID() } }, randomUUID());

  expect(found ?? []).toEqual([]);
});
