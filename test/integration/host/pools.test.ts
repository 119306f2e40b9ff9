/** A waiting host and the cluster that takes it, with real processes: whoever dies meanwhile, it has one owner. */
import fs from 'node:fs';
import path from 'node:path';
import { toSpareClusterId } from '@headrace/core';
import { expect, test } from 'vitest';
import type { ClusterAssignment } from '../../../packages/worker/src/ports.ts';
import { aCluster } from '../../../packages/worker/src/testing/memory-source.ts';
import { useHostBench } from './support.ts';

const bench = useHostBench();

const place = { poolId: 'p', name: 'pool', capacityMax: null };
const conf = { 'spark.master': 'local[2]' };
const spare = aCluster({
  clusterId: toSpareClusterId('p'),
  hostKey: 'abc-12',
  sparkConf: conf,
  pool: { ...place, isSpare: true },
});
const cluster = aCluster({
  clusterId: 'job-7',
  hostKey: 'ofjob7',
  sparkConf: conf,
  idleMs: 60_000,
  pool: { ...place, isSpare: false },
});

const folders = () => fs.readdirSync(path.join(bench().folder, 'hosts'));

function recordIn(name: string): { pid: number; host_key: string; cluster_id: string } {
  return JSON.parse(fs.readFileSync(path.join(bench().folder, 'hosts', name, 'host.json'), 'utf8'));
}

async function waitForHost({ clusterId }: ClusterAssignment): Promise<void> {
  const running = () =>
    bench().source.hostReports.some((report) => report.clusterId === clusterId && report.state === 'running');
  await expect.poll(running, { timeout: 60_000 }).toBe(true);
}

async function startedSpare(): Promise<number> {
  bench().source.orderHosts(spare);
  await waitForHost(spare);
  return recordIn(spare.hostKey).pid;
}

test('a task of a cluster in the pool runs on the process that waited', async () => {
  await bench().startWorker();
  const pid = await startedSpare();
  const attempt = bench().aTask('print("here")', { cluster });

  bench().source.offer(attempt);

  await bench().source.reported(attempt.attemptId, 'ended');
  expect(folders()).toEqual([spare.hostKey]);
  expect(recordIn(spare.hostKey)).toMatchObject({ pid, host_key: 'ofjob7', cluster_id: 'job-7' });
  expect(bench().source.hostReports.at(-1)?.message).toBe(
    "it took a waiting host of instance pool 'pool' (p), whose driver is not ready yet (none)",
  );
});

test('the next worker finds a taken host under its cluster, with what runs on it', async () => {
  const first = await bench().startWorker();
  const pid = await startedSpare();
  const attempt = bench().aTask('import time\ntime.sleep(1)\nprint("done")', { cluster });
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');

  await first.stop();
  bench().source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  await bench().startWorker();

  const ended = await bench().source.reported(attempt.attemptId, 'ended');
  expect(ended).toMatchObject({ epoch: 2, outcome: { kind: 'succeeded' } });
  expect(recordIn(spare.hostKey).pid).toBe(pid);
});

test('a worker that dies after it gave a host away leaves it to the cluster, and none to the pool', async () => {
  const { backend } = bench();
  const waiting = await backend.start(spare);
  backend.give(waiting, cluster)?.close();

  await bench().startWorker();

  const told = bench().source.hostReports.filter(({ state }) => state === 'running');
  expect(told.map(({ clusterId, hostKey }) => [clusterId, hostKey])).toEqual([['job-7', 'ofjob7']]);
  // Nothing ran on it: the worker that comes back ends it, and its folder goes.
  await expect.poll(folders, { timeout: 60_000 }).toEqual([]);
  const attempt = bench().aTask('print("here")', { cluster });
  bench().source.offer(attempt);
  const { outcome } = await bench().source.reported(attempt.attemptId, 'ended');
  expect(outcome).toMatchObject({ kind: 'succeeded' });
});

test('a host is not given to a cluster that left something behind', async () => {
  const { backend } = bench();
  const waiting = await backend.start(spare);
  fs.mkdirSync(path.join(bench().folder, 'hosts', cluster.hostKey));

  expect(backend.give(waiting, cluster)).toBeNull();

  expect(recordIn(spare.hostKey)).toMatchObject({ host_key: spare.hostKey });
  waiting.close();
});

test('a taken host that dies is followed by one in its folder, which tells how its tasks ended', async () => {
  await bench().startWorker();
  const pid = await startedSpare();
  const attempt = bench().aTask('import time\ntime.sleep(600)', { cluster });
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');

  process.kill(pid, 'SIGKILL');
  const lost = await bench().source.reported(attempt.attemptId, 'lost');
  const next = bench().aTask('print("again")', { cluster });
  bench().source.offer(next);
  await bench().source.reported(next.attemptId, 'ended');

  expect(lost).toMatchObject({ beforeUserCode: false });
  expect(folders()).toEqual([spare.hostKey]);
  expect(recordIn(spare.hostKey)).toMatchObject({ host_key: 'ofjob7' });
  expect(recordIn(spare.hostKey).pid).not.toBe(pid);
});

test('nothing is left of a taken host that is stopped', async () => {
  const worker = await bench().startWorker();
  await startedSpare();
  const attempt = bench().aTask('print("here")', { cluster: { ...cluster, idleMs: 2_000 } });
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'ended');

  await expect.poll(folders, { timeout: 60_000 }).toEqual([]);
  await worker.stop();
});
