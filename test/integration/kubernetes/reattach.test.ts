import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ClaimedAttempt } from '../../../packages/worker/src/ports.ts';
import { usePodBench } from './support.ts';

const bench = usePodBench();
const untilTold = (file: string) =>
  `import os, time\nprint("begun", flush=True)\nwhile not os.path.exists(${JSON.stringify(file)}): time.sleep(0.05)\nprint("done")`;

/** A task that runs while no worker is there. */
async function leave(): Promise<{ attempt: ClaimedAttempt; finish: () => void }> {
  const file = path.join(bench().folder, 'go');
  const attempt = bench().aTask(untilTold(file));
  const worker = await bench().startWorker();
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await worker.stop();
  bench().source.reports.splice(0);
  bench().source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  return { attempt, finish: () => fs.writeFileSync(file, '') };
}

test('a worker that comes back takes the tasks of its Pods back', async () => {
  const { attempt, finish } = await leave();

  await bench().startWorker();
  finish();

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    epoch: 2,
    outcome: { kind: 'succeeded' },
  });
  expect(bench().log(attempt)).toBe('begun\ndone\n');
  expect(bench().api.requests.filter((request) => request === 'POST pods')).toHaveLength(1);
});

test('what ended while no worker was there is reported once', async () => {
  const { attempt, finish } = await leave();
  finish();
  await expect.poll(() => bench().log(attempt)).toContain('done');

  await bench().startWorker();

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
});

test('a Pod that died while no worker was there is proof of loss', async () => {
  const { attempt } = await leave();
  const pod = bench().onlyPod();
  bench().node.runOutOfMemory(pod);
  await expect.poll(() => bench().api.pods.get(pod)?.status?.phase).toBe('Failed');

  await bench().startWorker();

  expect(await bench().source.reported(attempt.attemptId, 'lost')).toMatchObject({
    beforeUserCode: false,
    message: expect.stringContaining('OOMKilled'),
  });
  await expect.poll(() => bench().api.pods.size).toBe(0);
});

test('a Pod that was deleted while no worker was there is proof of loss', async () => {
  const { attempt } = await leave();
  const pod = bench().onlyPod();
  process.kill(bench().node.pidOf(pod), 'SIGKILL');
  await expect.poll(() => bench().node.pidOf(pod)).toBe(0);
  bench().api.remove(pod);

  await bench().startWorker();

  expect(await bench().source.reported(attempt.attemptId, 'lost')).toMatchObject({ beforeUserCode: false });
});

test('a host that cannot be reached keeps no worker from starting, and its task goes on', async () => {
  const { attempt, finish } = await leave();
  const pid = bench().node.pidOf(bench().onlyPod());
  process.kill(pid, 'SIGSTOP');

  await bench().startWorker();
  expect(bench().source.reports).toEqual([]);
  process.kill(pid, 'SIGCONT');
  finish();

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
});

test('a Pod of this worker that nothing here knows of is deleted', async () => {
  const worker = await bench().startWorker();
  const attempt = bench().aTask('print(1)');
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'ended');
  await worker.stop();
  await expect.poll(() => bench().api.pods.size).toBe(0);
  bench().node.fate = { kind: 'unschedulable', message: 'later' };
  const labels = {
    'app.kubernetes.io/name': 'headrace',
    'app.kubernetes.io/component': 'host',
    'headrace.io/worker-id': 'w',
  };
  const url = `${bench().api.config.getCurrentCluster()?.server}/api/v1/namespaces/headrace/pods`;
  const body = { metadata: { name: 'stray', labels }, spec: { containers: [{ name: 'host' }] } };
  const headers = { authorization: `Bearer ${bench().api.config.getCurrentUser()?.token}` };
  await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });

  await bench().startWorker();

  await expect.poll(() => bench().api.pods.size).toBe(0);
});
