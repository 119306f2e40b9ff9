/** Ends that no worker could tell yet, when the host that knows them dies. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { aCluster } from '../../../packages/worker/src/testing/memory-source.ts';
import { usePodBench } from './support.ts';

const bench = usePodBench();
const end = { exit_code: 0, signal: null, started: true, at_ms: 9, stopped: false, log_truncated: false };
const lines = [
  { kind: 'intended', attempt_id: 7, epoch: 1 },
  { kind: 'started', attempt_id: 7, epoch: 1, pid: 1, at_ms: 8 },
  { kind: 'ended', attempt_id: 7, epoch: 1, end },
];
const untoldEnd = lines.map((line) => `${JSON.stringify(line)}\n`).join('');

test('an end that was not told yet outlives its host, for the worker that comes back', async () => {
  const attempt = bench().aTask('import time; time.sleep(0.5)');
  const worker = await bench().startWorker();
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await worker.stop();
  const pod = bench().onlyPod();
  const journal = path.join(bench().folder, 'pods', pod, 'host', 'journal.jsonl');
  await expect.poll(() => fs.readFileSync(journal, 'utf8')).toContain('"ended"');
  process.kill(bench().node.pidOf(pod), 'SIGKILL');
  await expect.poll(() => bench().api.pods.get(pod)?.status?.phase).toBe('Failed');

  bench().source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  await bench().startWorker();

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    epoch: 2,
    outcome: { kind: 'succeeded' },
  });
});

test('the next host of the key answers for what a dead one had not told, and its folder goes', async () => {
  const backend = bench().makeBackend();
  const first = await backend.start(aCluster());
  const folders = () => fs.readdirSync(path.join(bench().folder, 'pods'));
  const [name = ''] = folders();
  const journal = path.join(bench().folder, 'pods', name, 'host', 'journal.jsonl');
  fs.appendFileSync(journal, untoldEnd);
  process.kill(bench().node.pidOf(name), 'SIGKILL');
  await first.died;

  const next = await backend.start(aCluster());

  expect(next.hello.attempts).toMatchObject([{ attempt_id: 7, state: 'ended' }]);
  expect(folders()).toHaveLength(1);
  next.close();
});

test('a folder of a dead host that cannot be removed keeps the next one from nothing', async () => {
  const backend = bench().makeBackend();
  const first = await backend.start(aCluster());
  const name = bench().onlyPod();
  const journal = path.join(bench().folder, 'pods', name, 'host', 'journal.jsonl');
  fs.appendFileSync(journal, untoldEnd);
  process.kill(bench().node.pidOf(name), 'SIGKILL');
  await first.died;
  const { rmSync } = fs;
  const remove = vi.spyOn(fs, 'rmSync').mockImplementation((file, options) => {
    if (path.basename(String(file)) === name) throw new Error('EBUSY: open on another node');
    rmSync(file, options);
  });
  onTestFinished(() => remove.mockRestore());

  const next = await backend.start(aCluster());
  backend.forget('default');

  expect(next.hello.attempts).toMatchObject([{ attempt_id: 7 }]);
  expect(bench().warnings.join()).toContain(`${name}, of a Pod that has ended, cannot be removed`);
  remove.mockRestore();
  next.close();
});

test('a host that is given to a cluster is found under its new key', async () => {
  const backend = bench().makeBackend();
  const spare = await backend.start(aCluster({ hostKey: 'spare', clusterId: 'pool:p' }));

  const given = backend.give(spare, { hostKey: 'k', clusterId: 'c' });
  spare.close();
  const found = await bench().makeBackend().attach();

  expect(given).toMatchObject({ hostKey: 'k', clusterId: 'c' });
  expect(found).toMatchObject([{ kind: 'alive', connection: { hostKey: 'k', clusterId: 'c' } }]);
  for (const host of found) if (host.kind === 'alive') host.connection.close();
});
