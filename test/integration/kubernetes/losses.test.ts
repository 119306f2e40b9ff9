import { expect, test } from 'vitest';
import type { HostBackend } from '../../../packages/worker/src/hosts/host-backend.ts';
import type { ClaimedAttempt } from '../../../packages/worker/src/ports.ts';
import { usePodBench } from './support.ts';

const bench = usePodBench();
const lasting = 'import time\nprint("begun", flush=True)\nwhile True: time.sleep(0.1)';

/** A task that runs, on the Pod that is returned. */
async function begin(attempt: ClaimedAttempt, backend?: HostBackend): Promise<string> {
  await bench().startWorker(backend);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  return bench().onlyPod();
}

const reportsOf = ({ attemptId }: ClaimedAttempt) =>
  bench()
    .source.reports.filter((report) => report.attemptId === attemptId)
    .map(({ kind }) => kind);

test('a host that runs out of memory loses its tasks, and says so', async () => {
  const attempt = bench().aTask(lasting);
  const pod = await begin(attempt);

  bench().node.runOutOfMemory(pod);

  expect(await bench().source.reported(attempt.attemptId, 'lost')).toMatchObject({
    beforeUserCode: false,
    message: expect.stringMatching(/ran out of memory \(OOMKilled, limit 4096Mi\)/),
  });
});

test('a death while watches are too old to go on is noticed all the same', async () => {
  const attempt = bench().aTask(lasting);
  const pod = await begin(attempt);

  bench().api.forgetVersions();
  process.kill(bench().node.pidOf(pod), 'SIGKILL');

  expect(await bench().source.reported(attempt.attemptId, 'lost')).toMatchObject({
    message: expect.stringContaining('ended by signal 9'),
  });
});

test('nothing is lost while the API is away, and what died meanwhile is once it is back', async () => {
  const attempt = bench().aTask(lasting);
  const pod = await begin(attempt);
  const away = (['GET', 'WATCH'] as const).map((method) => ({
    method,
    answer: 'reset' as const,
    times: 1e6,
  }));
  bench().api.troubles.push(...away);
  bench().api.forgetVersions();

  process.kill(bench().node.pidOf(pod), 'SIGKILL');
  await expect.poll(() => bench().warnings).toContain('Pods cannot be followed; trying again');
  expect(reportsOf(attempt)).toEqual(['started']);
  bench().api.troubles.splice(0);

  expect(await bench().source.reported(attempt.attemptId, 'lost')).toMatchObject({ beforeUserCode: false });
});

test('a node that is silent proves nothing: its tasks wait until the Pod is gone', async () => {
  const attempt = bench().aTask(lasting);
  const pod = await begin(attempt);

  bench().node.isLost = true;
  process.kill(bench().node.pidOf(pod), 'SIGKILL');
  const condition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' };
  bench().api.change(pod, (before) => ({ ...before, status: { ...before.status, conditions: [condition] } }));

  await expect.poll(() => bench().warnings.join()).toMatch(/node node-1 of Pod .* is not heard of/);
  bench().api.change(pod, (before) => ({ ...before, status: { ...before.status, phase: 'Unknown' } }));
  await expect.poll(() => bench().node.pidOf(pod)).toBe(0);
  expect(reportsOf(attempt)).toEqual(['started']);
  bench().api.remove(pod);

  expect(await bench().source.reported(attempt.attemptId, 'lost')).toMatchObject({
    beforeUserCode: false,
    message: expect.stringMatching(/Pod .* on node node-1 was deleted/),
  });
});

test('a host that does not heed a stop is ended with its Pod', async () => {
  const attempt = bench().aTask(lasting);
  const pod = await begin(attempt, bench().makeBackend({ stopAnswerMs: 300, helloWaitMs: 500 }));

  process.kill(bench().node.pidOf(pod), 'SIGSTOP');
  bench().source.stop({ attemptId: attempt.attemptId, epoch: 1, reason: 'cancelled_by_user' });

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'stopped' },
  });
});

test('the host that follows a dead one is another Pod, and runs the next task', async () => {
  const attempt = bench().aTask(lasting);
  const first = await begin(attempt);
  process.kill(bench().node.pidOf(first), 'SIGKILL');
  await bench().source.reported(attempt.attemptId, 'lost');
  const next = bench().aTask('print("well")');

  bench().source.offer(next);

  expect(await bench().source.reported(next.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
  expect(bench().onlyPod()).not.toBe(first);
});
