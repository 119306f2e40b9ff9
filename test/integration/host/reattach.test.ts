import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type FrameStream, openFrameStream } from '../../../packages/worker/src/hosts/connection.ts';
import type { FromHost } from '../../../packages/worker/src/hosts/host-protocol.ts';
import { useHostBench } from './support.ts';

const bench = useHostBench();
const slowTask = 'import time\nprint("one", flush=True)\ntime.sleep(1)\nprint("two")';

test('tasks go on without a worker, and the next one reports them once', async () => {
  const first = await bench().startWorker();
  const attempt = bench().aTask(slowTask);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  const hostPid = bench().hostPid();

  await first.stop();
  bench().source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  await bench().startWorker();

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    epoch: 2,
    outcome: { kind: 'succeeded' },
  });
  expect(bench().hostPid()).toBe(hostPid);
  expect(bench().log(attempt)).toBe('one\ntwo\n');
});

test('what ended while no worker was there is read from the host', async () => {
  const first = await bench().startWorker();
  const attempt = bench().aTask('import time, sys\ntime.sleep(0.3)\nsys.exit(5)');
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await first.stop();
  await expect.poll(() => journal().some((line) => line.includes('"ended"'))).toBe(true);

  bench().source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  await bench().startWorker();

  const { outcome } = await bench().source.reported(attempt.attemptId, 'ended');
  expect(outcome).toMatchObject({ kind: 'failed', failure: { message: 'exited with status 5' } });
});

test('an acknowledgement of an earlier life does not clear an end that the next one has not told', async () => {
  const first = await bench().startWorker();
  const attempt = bench().aTask('import time; time.sleep(0.3)');
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await first.stop();
  await expect.poll(() => journal().some((line) => line.includes('"ended"'))).toBe(true);
  bench().source.failNext(Number.POSITIVE_INFINITY);
  bench().source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  await bench().startWorker();
  await expect.poll(() => journal().some((line) => line.includes('"taken"'))).toBe(true);

  const late = await greet();
  late.send([{ op: 'ack', attempt_id: attempt.attemptId, epoch: 1 }]);
  late.close();

  const looking = await greet();
  expect(looking.hello.attempts).toMatchObject([{ attempt_id: attempt.attemptId, state: 'ended' }]);
  looking.close();
  bench().source.failNext(0);
  await bench().source.reported(attempt.attemptId, 'ended');
  await expect.poll(() => journal().some((line) => line.includes('"acked"'))).toBe(true);
});

test('a connection that breaks in the middle is mended, and nothing is lost', async () => {
  await bench().startWorker();
  const attempt = bench().aTask(slowTask);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');

  // The newest connection is the worker: the host hangs up on the one before.
  const intruder = await greet();
  intruder.close();

  expect(await bench().source.reported(attempt.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
});

test('a killed host loses its attempts and leaves no orphan', async () => {
  await bench().startWorker();
  const attempt = bench().aTask(`
import subprocess, time
subprocess.Popen(["sleep", "1005"], start_new_session=True)
print("ready", flush=True)
time.sleep(1000)
`);
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await expect.poll(() => bench().log(attempt)).toContain('ready');

  process.kill(bench().hostPid(), 'SIGKILL');

  expect(await bench().source.reported(attempt.attemptId, 'lost')).toMatchObject({ beforeUserCode: false });
  expect(bench().census()).toEqual([]);
});

test('a death that cannot be proven yet is proven later, and the worker lives on', async () => {
  await bench().startWorker();
  const attempt = bench().aTask('import time; time.sleep(1000)');
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  const journal = path.join(bench().folder, 'hosts/default/journal.jsonl');
  fs.renameSync(journal, `${journal}.kept`);
  fs.mkdirSync(journal);
  const warned = once(process, 'warning');

  process.kill(bench().hostPid(), 'SIGKILL');
  await warned;
  fs.rmdirSync(journal);
  fs.renameSync(`${journal}.kept`, journal);

  expect(await bench().source.reported(attempt.attemptId, 'lost')).toMatchObject({ beforeUserCode: false });
});

test('the next attempt after a killed host gets a new host', async () => {
  await bench().startWorker();
  const lost = bench().aTask('import time; time.sleep(1000)');
  bench().source.offer(lost);
  await bench().source.reported(lost.attemptId, 'started');
  process.kill(bench().hostPid(), 'SIGKILL');
  await bench().source.reported(lost.attemptId, 'lost');

  const next = bench().aTask('print("again")');
  bench().source.offer(next);

  expect(await bench().source.reported(next.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
});

test('a host that died while no worker was there is read from its journal', async () => {
  const first = await bench().startWorker();
  const ended = bench().aTask('import time; time.sleep(0.2)');
  const lost = bench().aTask('import time; time.sleep(1000)');
  bench().source.offer(ended, lost);
  await bench().source.reported(ended.attemptId, 'started');
  await bench().source.reported(lost.attemptId, 'started');
  await first.stop();
  await expect.poll(() => journal().some((line) => line.includes('"ended"'))).toBe(true);
  process.kill(bench().hostPid(), 'SIGKILL');

  bench().source.resumed = [ended, lost].map((attempt) => ({
    ...attempt,
    epoch: 2,
    state: 'running' as const,
    stopReason: null,
  }));
  await bench().startWorker();

  expect(await bench().source.reported(ended.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
  expect(await bench().source.reported(lost.attemptId, 'lost')).toMatchObject({ beforeUserCode: false });
});

test('the folder of a dead host is forgotten by the start after the one that reported its attempts', async () => {
  const first = await bench().startWorker();
  const attempt = bench().aTask('import time; time.sleep(1000)');
  bench().source.offer(attempt);
  await bench().source.reported(attempt.attemptId, 'started');
  await first.stop();
  process.kill(bench().hostPid(), 'SIGKILL');
  bench().source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  const second = await bench().startWorker();
  await bench().source.reported(attempt.attemptId, 'lost');
  await second.stop();

  bench().source.resumed = [];
  await bench().startWorker();

  expect(fs.readdirSync(path.join(bench().folder, 'hosts'))).toEqual([]);
});

test('a held child runs no user line, and is dropped by the next worker that does not own it', async () => {
  const first = await bench().startWorker();
  const busy = bench().aTask('import time; time.sleep(1000)');
  bench().source.offer(busy);
  await bench().source.reported(busy.attemptId, 'started');
  await first.stop();
  const held = bench().aTask('print("must not run")');
  const frames: FromHost[] = [];
  const stream = await greet((frame) => frames.push(frame));
  const folder = path.join(bench().folder, 'data/attempts/7', String(held.attemptId));
  fs.mkdirSync(path.join(folder, 'work'), { recursive: true });
  stream.send([{ op: 'prepare', attempt_id: held.attemptId, epoch: 1, folder, log_bytes_max: 1000 }]);
  await expect.poll(() => frames.some(({ op }) => op === 'prepared')).toBe(true);
  stream.close();

  bench().source.resumed = [{ ...busy, epoch: 2, state: 'running', stopReason: null }];
  await bench().startWorker();

  await expect.poll(() => journal().some((line) => line.includes('"dropped"'))).toBe(true);
  expect(
    journal()
      .filter((line) => line.includes(`:${held.attemptId},`))
      .join(),
  ).not.toContain('started');
  expect(fs.readFileSync(path.join(folder, 'output.log'), 'utf8')).toBe('');
});

/** Another process that says it is the worker. */
function greet(onFrame: (frame: FromHost) => void = () => undefined): Promise<FrameStream> {
  const socketPath = path.join(socketFolder(), 'host.sock');
  return openFrameStream({ socketPath, workerId: 'w', onFrame, onClose: () => undefined });
}

function socketFolder(): string {
  const text = fs.readFileSync(path.join(bench().folder, 'hosts/default/host.json'), 'utf8');
  return (JSON.parse(text) as { socket_folder: string }).socket_folder;
}

function journal(): string[] {
  return fs.readFileSync(path.join(bench().folder, 'hosts/default/journal.jsonl'), 'utf8').trim().split('\n');
}
