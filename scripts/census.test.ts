import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MARKER, takeCensus } from './census.ts';

test.skipIf(!existsSync('/proc/self/environ'))('a process that a test run left behind is named', async () => {
  const runId = randomUUID();
  const left = spawn('sleep', ['60'], { env: { ...process.env, [MARKER]: runId }, stdio: 'ignore' });
  await once(left, 'spawn');

  const found = await takeCensus(runId, { graceMs: 0 });

  left.kill();
  expect(found).toEqual([{ pid: left.pid, command: 'sleep 60' }]);
});

test('a run that left nothing passes the census', async () => {
  const found = await takeCensus(randomUUID(), { graceMs: 0 });

  expect(found ?? []).toEqual([]);
});
