/** Hosts outlive an upgrade of their worker: what the new release does with those of another one. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench();
const repository = path.resolve(import.meta.dirname, '../../..');
const slowTask = 'import time\nprint("one", flush=True)\ntime.sleep(1)\nprint("two")';

test('a host of the release before keeps its attempts, and ends when they have', async () => {
  const before = await bench().startWorker({ pythonPath: runtimeOf(1) });
  const attempt = bench().aTask(slowTask);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  const hostPid = bench().hostPid();
  await before.stop();

  bench().source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  await bench().startWorker();

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    epoch: 2,
    outcome: { kind: 'succeeded' },
  });
  expect(bench().log(attempt)).toBe('one\ntwo\n');
  await expect.poll(() => bench().census(), { timeout: 20_000 }).toEqual([]);
  const next = bench().aTask('print("again")');
  bench().source.offer(next);
  await bench().source.reported(next.attemptId, 'ended');
  expect(bench().hostPid()).not.toBe(hostPid);
});

test('a host that cannot be understood is ended, and its attempts are lost for that reason', async () => {
  const before = await bench().startWorker({ pythonPath: runtimeOf(1) });
  const attempt = bench().aTask('import time; time.sleep(1000)');
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await before.stop();
  // Of a release that we know nothing of.
  const file = path.join(bench().folder, 'hosts/default/host.json');
  const record = JSON.parse(fs.readFileSync(file, 'utf8')) as { version: number };
  fs.writeFileSync(file, JSON.stringify({ ...record, version: 99 }));

  bench().source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  await bench().startWorker();

  expect(await bench().source.reported(attempt.attemptId, 'lost')).toMatchObject({
    beforeUserCode: false,
    message: expect.stringContaining('this host speaks protocol 1, the worker 2'),
  });
  expect(bench().census()).toEqual([]);
});

/** Our runtime, as a release with this version of the protocol had it. */
function runtimeOf(version: number): string {
  const folder = path.join(bench().folder, `python-${version}`);
  fs.cpSync(path.join(repository, 'python/headrace_runtime'), path.join(folder, 'headrace_runtime'), {
    recursive: true,
  });
  const file = path.join(folder, 'headrace_runtime/protocol.py');
  const text = fs.readFileSync(file, 'utf8');
  const changed = text.replace(/^HOST_PROTOCOL_VERSION = \d+$/m, `HOST_PROTOCOL_VERSION = ${version}`);
  expect(changed).not.toBe(text);
  fs.writeFileSync(file, changed);
  return folder;
}
