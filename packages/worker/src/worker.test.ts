import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFakeBackend, type FakeBackend } from './hosts/fake/fake-backend.ts';
import {
  aCluster,
  anAttempt,
  createMemorySource,
  type MemorySource,
  silentLog,
} from './testing/memory-source.ts';
import { startWorker, type Worker } from './worker.ts';

const clock = { nowMs: () => 1_000 };
let dataRoot: string;
let source: MemorySource;
let backend: FakeBackend;
let worker: Worker | null = null;

beforeEach(() => {
  dataRoot = fs.mkdtempSync(path.join(os.tmpdir(), 'worker-'));
  source = createMemorySource();
  backend = createFakeBackend({ clock, refusedClusters: new Set(['broken']) });
});

afterEach(async () => {
  await worker?.stop();
  worker = null;
  fs.rmSync(dataRoot, { recursive: true });
});

async function start(slots = 4): Promise<void> {
  const options = { source, backend, workerId: 'w', slots, dataRoot, spare: null, clock, log: silentLog };
  worker = await startWorker(options);
}

/** The attempts that dead hosts still answer for. */
async function openInJournals(): Promise<number[]> {
  const found = await backend.attach();
  return found.flatMap((host) =>
    host.kind === 'dead' ? host.death.attempts.map(({ attempt_id }) => attempt_id) : [],
  );
}

test('an attempt that succeeds is reported with its task values and exit value', async () => {
  await start();
  const attempt = anAttempt(dataRoot, { kind: 'succeed', taskValues: { rows: 3 }, exitValue: 'done' });

  source.offer(attempt);

  const ended = await source.reported(attempt.attemptId, 'ended');
  expect(ended).toMatchObject({ outcome: { kind: 'succeeded' }, taskValues: { rows: 3 }, exitValue: 'done' });
  expect(source.reports.map(({ kind }) => kind)).toEqual(['started', 'ended']);
});

test.each([
  [{ kind: 'exit', code: 3 }, 'RUN_EXECUTION_ERROR', 'exited with code 3'],
  [{ kind: 'exit', code: 0 }, 'RUN_EXECUTION_ERROR', 'without a result'],
  [{ kind: 'signal', signal: 11 }, 'RUN_EXECUTION_ERROR', 'segmentation fault'],
  [{ kind: 'signal', signal: 9 }, 'RUN_EXECUTION_ERROR', 'killed from outside (SIGKILL)'],
  [
    { kind: 'fail', failure: { code: 'RESOURCE_NOT_FOUND', message: 'no notebook' } },
    'RESOURCE_NOT_FOUND',
    'no notebook',
  ],
] as const)('%j fails with a message that people understand', async (behaviour, code, words) => {
  await start();
  const attempt = anAttempt(dataRoot, behaviour);

  source.offer(attempt);

  const { outcome } = await source.reported(attempt.attemptId, 'ended');
  expect(outcome).toMatchObject({
    kind: 'failed',
    failure: { code, message: expect.stringContaining(words) },
  });
});

test('a stop ends a hanging attempt as stopped', async () => {
  await start();
  const attempt = anAttempt(dataRoot, { kind: 'hang' });
  source.offer(attempt);
  await source.reported(attempt.attemptId, 'started');

  source.stop({ attemptId: attempt.attemptId, epoch: 1, reason: 'timed_out' });

  expect(await source.reported(attempt.attemptId, 'ended')).toMatchObject({ outcome: { kind: 'stopped' } });
});

test('an attempt whose host dies is lost after user code began', async () => {
  await start();
  const attempt = anAttempt(dataRoot, { kind: 'hang' });
  source.offer(attempt);
  await source.reported(attempt.attemptId, 'started');

  backend.kill('default');

  expect(await source.reported(attempt.attemptId, 'lost')).toMatchObject({ beforeUserCode: false });
});

test('a dead host answers for no end that is recorded, whether it died before it heard of that or after', async () => {
  await start();
  const [early, late] = [anAttempt(dataRoot, { kind: 'succeed' }), anAttempt(dataRoot, { kind: 'hang' })];
  source.offer(late);
  await source.reported(late.attemptId, 'started');
  const host = backend.hosts.get('default');
  host?.goDeaf();
  source.offer(early);
  await expect.poll(() => host?.unheard).toEqual([early.attemptId]);

  backend.kill('default');

  await source.reported(late.attemptId, 'lost');
  await expect.poll(openInJournals).toEqual([]);
});

test('a dead host answers for an end until it is recorded', async () => {
  await start();
  source.failNext(1_000_000);
  const attempt = anAttempt(dataRoot, { kind: 'succeed' });
  source.offer(attempt);
  await expect.poll(() => backend.hosts.get('default')?.attemptStates().get(attempt.attemptId)).toBe('ended');

  backend.kill('default');

  await expect.poll(openInJournals).toEqual([attempt.attemptId]);
  source.failNext(0);
  await source.reported(attempt.attemptId, 'ended');
  await expect.poll(openInJournals).toEqual([]);
});

test('a cluster that does not start fails its attempt with the reason', async () => {
  await start();
  const cluster = aCluster({ clusterName: 'broken', hostKey: 'broken' });
  const attempt = anAttempt(dataRoot, { kind: 'succeed' }, { cluster });

  source.offer(attempt);

  const { outcome } = await source.reported(attempt.attemptId, 'ended');
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'CLUSTER_ERROR' } });
});

test('an attempt whose folder cannot be written fails, and those beside it run', async () => {
  await start();
  const first = anAttempt(dataRoot, { kind: 'succeed' });
  source.offer(first);
  await source.reported(first.attemptId, 'ended');
  const [blocked, sound] = [
    anAttempt(dataRoot, { kind: 'succeed' }),
    anAttempt(dataRoot, { kind: 'succeed' }),
  ];
  fs.writeFileSync(path.join(dataRoot, 'attempts', '7', String(blocked.attemptId)), 'no folder');

  source.offer(blocked, sound);

  const { outcome } = await source.reported(blocked.attemptId, 'ended');
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'INTERNAL_ERROR' } });
  expect(await source.reported(sound.attemptId, 'ended')).toMatchObject({ outcome: { kind: 'succeeded' } });
});

test('no more attempts run at once than there are slots', async () => {
  await start(2);
  const attempts = Array.from({ length: 5 }, () => anAttempt(dataRoot, { kind: 'hang' }));
  source.offer(...attempts);
  await source.reported(attempts[1]?.attemptId ?? 0, 'started');

  expect(source.reports.filter(({ kind }) => kind === 'started')).toHaveLength(2);
  expect(worker?.running()).toBe(2);
});

test('a report that fails is repeated until it is recorded', async () => {
  await start();
  source.failNext(3);
  const attempt = anAttempt(dataRoot, { kind: 'succeed' });

  source.offer(attempt);

  expect(await source.reported(attempt.attemptId, 'ended')).toMatchObject({ outcome: { kind: 'succeeded' } });
});

test('an end waits for a start that could not be recorded, so that both are', async () => {
  await start();
  source.failNext(3);
  const attempt = anAttempt(dataRoot, { kind: 'succeed' });

  source.offer(attempt);

  await source.reported(attempt.attemptId, 'ended');
  expect(source.reports.map(({ kind }) => kind)).toEqual(['started', 'ended']);
});

test('the next worker goes on with what runs, under its new epoch', async () => {
  await start();
  const attempt = anAttempt(dataRoot, { kind: 'succeed', afterMs: 50 });
  source.offer(attempt);
  await source.reported(attempt.attemptId, 'started');
  await worker?.stop();
  expect(source.reports.some(({ kind }) => kind === 'ended')).toBe(false);

  source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  await start();

  expect(await source.reported(attempt.attemptId, 'ended')).toMatchObject({
    epoch: 2,
    outcome: { kind: 'succeeded' },
  });
});

test('the next worker reports what ended while nobody listened', async () => {
  await start();
  const attempt = anAttempt(dataRoot, { kind: 'exit', code: 4, afterMs: 20 });
  source.offer(attempt);
  await source.reported(attempt.attemptId, 'started');
  await worker?.stop();
  await new Promise((resolve) => setTimeout(resolve, 60));

  source.resumed = [{ ...attempt, epoch: 2, state: 'running', stopReason: null }];
  await start();

  const { outcome } = await source.reported(attempt.attemptId, 'ended');
  expect(outcome).toMatchObject({ kind: 'failed', failure: { message: expect.stringContaining('code 4') } });
});

test('an attempt that was claimed and comes to its host as that ends is given back, not waited for', async () => {
  // Left behind by a former life with nothing on it, so it is ended; the attempt finds it at that moment.
  await backend.start(aCluster());
  const attempt = anAttempt(dataRoot, { kind: 'succeed' });
  source.resumed = [{ ...attempt, epoch: 2, state: 'claimed', stopReason: null }];

  await start();

  expect(await source.reported(attempt.attemptId, 'lost')).toMatchObject({ epoch: 2, beforeUserCode: true });
  expect(worker?.running()).toBe(0);
});

test('what is running on a host and no longer ours is ended without a word', async () => {
  await start();
  const attempt = anAttempt(dataRoot, { kind: 'hang' });
  source.offer(attempt);
  await source.reported(attempt.attemptId, 'started');
  await worker?.stop();
  source.reports.length = 0;

  await start();

  await expect.poll(() => backend.hosts.get('default')?.attemptStates().size ?? 0).toBe(0);
  expect(source.reports).toEqual([]);
});

test('a host is ended when it has been idle for its time', async () => {
  await start();
  const attempt = anAttempt(dataRoot, { kind: 'succeed' }, { cluster: aCluster({ idleMs: 10 }) });

  source.offer(attempt);

  await source.reported(attempt.attemptId, 'ended');
  await expect.poll(() => source.hostReports.at(-1)?.state).toBe('stopped');
});

test('what was prepared for a claim that was not recorded never runs', async () => {
  await start();
  const first = anAttempt(dataRoot, { kind: 'succeed' });
  source.offer(first);
  await source.reported(first.attemptId, 'ended');
  source.failNextClaim();
  const unclaimed = anAttempt(dataRoot, { kind: 'succeed' });

  source.offer(unclaimed);

  await expect.poll(() => backend.hosts.get('default')?.attemptStates().has(unclaimed.attemptId)).toBe(false);
  const second = anAttempt(dataRoot, { kind: 'succeed' });
  source.offer(second);
  await source.reported(second.attemptId, 'ended');
  expect(source.reports.some(({ attemptId }) => attemptId === unclaimed.attemptId)).toBe(false);
});

test('an attempt that was lost before user code may come back under its id at once', async () => {
  await start();
  const attempt = anAttempt(dataRoot, { kind: 'hang' });
  const again = { ...attempt, epoch: 2, document: anAttempt(dataRoot, { kind: 'succeed' }).document };
  source.onReport = (report) => {
    if (report.kind === 'lost' && report.epoch === 1) source.offer(again);
  };
  backend.refuseNext(attempt.attemptId);

  source.offer(attempt);

  expect(await source.reported(attempt.attemptId, 'lost')).toMatchObject({ epoch: 1, beforeUserCode: true });
  expect(await source.reported(attempt.attemptId, 'ended')).toMatchObject({
    epoch: 2,
    outcome: { kind: 'succeeded' },
  });
});

test('each line of the log about an attempt names its run and task too', async () => {
  const lines: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[] = [];
  const write = (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push({ fields, message });
  const log = { debug: write, info: write, warn: write, error: write };
  worker = await startWorker({ source, backend, workerId: 'w', slots: 4, dataRoot, spare: null, clock, log });
  const [ending, broken] = [
    anAttempt(dataRoot, { kind: 'succeed' }),
    anAttempt(dataRoot, { kind: 'succeed' }),
  ];
  fs.mkdirSync(path.join(dataRoot, 'attempts/7'), { recursive: true });
  fs.writeFileSync(path.join(dataRoot, `attempts/7/${broken.attemptId}`), 'no folder');

  source.failNext(2);
  source.offer(ending, broken);
  await source.reported(ending.attemptId, 'ended');
  await source.reported(broken.attemptId, 'ended');

  const about = lines.filter(({ fields }) => 'attempt' in fields);
  expect(about.map(({ message }) => message)).toEqual(
    expect.arrayContaining(['cannot report; trying again', 'supervising failed', 'ended']),
  );
  for (const { fields } of about) expect(fields).toMatchObject({ run_id: 7, task_key: 'load' });
});
