import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench({ spark: true });

const attach = `
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
`;

test('tasks share a driver; a stop cancels the jobs of one and leaves the others alone', async () => {
  await bench().startWorker();
  const counting = bench().aTask(`${attach}
import threading
def show_tag():
    print("tag of a thread", spark.sparkContext.getLocalProperty("spark.job.tags"))
thread = threading.Thread(target=show_tag)
thread.start()
thread.join()
print("count", spark.range(1000).count())
spark.stop()
`);
  bench().source.offer(counting);
  const counted = await bench().source.reported(counting.attemptId, 'ended');
  expect(counted, bench().log(counting)).toMatchObject({ outcome: { kind: 'succeeded' } });
  expect(bench().log(counting)).toContain('count 1000');
  // Stopping goes by this tag: without it there is nothing to cancel, and nothing that proof could find.
  expect(bench().log(counting)).toContain(`tag of a thread headrace-attempt-${counting.attemptId}`);

  // Two threads that write Delta in a loop, and no ear for SIGTERM.
  const table = path.join(bench().folder, 'table');
  const stubborn = bench().aTask(`${attach}
import signal, threading, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def write(n):
    while True:
        spark.range(1000).write.format("delta").mode("append").save("${table}" + str(n))
        print("wrote", n, flush=True)
threads = [threading.Thread(target=write, args=(n,)) for n in (1, 2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
`);
  const done = path.join(bench().folder, 'done');
  const neighbour = bench().aTask(`${attach}
import os
while not os.path.exists("${done}"):
    spark.range(10).count()
print("pool", spark.sparkContext.getLocalProperty("spark.scheduler.pool"))
`);
  bench().source.offer(stubborn);
  await bench().source.reported(stubborn.attemptId, 'started');
  await expect.poll(() => bench().log(stubborn), { timeout: 60_000 }).toContain('wrote 2');
  bench().source.offer(neighbour);
  await bench().source.reported(neighbour.attemptId, 'started');

  bench().source.stop({ attemptId: stubborn.attemptId, epoch: 1, reason: 'cancelled_by_user' });

  const { outcome } = await bench().source.reported(stubborn.attemptId, 'ended');
  expect(outcome).toEqual({ kind: 'stopped' });
  const commits = () => [1, 2].map((n) => fs.readdirSync(`${table}${n}/_delta_log`).length);
  const before = commits();
  fs.writeFileSync(done, '');
  const neighbourEnd = await bench().source.reported(neighbour.attemptId, 'ended');
  expect(neighbourEnd, bench().log(neighbour)).toMatchObject({ outcome: { kind: 'succeeded' } });
  expect(commits()).toEqual(before);
  // The first attempt had headrace-0, the second got it again: Spark would keep a new one for ever.
  expect(bench().log(neighbour)).toContain('pool headrace-1');
}, 180_000);

test('the conf of a cluster arrives as it is, and is on no command line', async () => {
  await bench().startWorker();
  const secret = 'a\\b = c:d #é';
  const attempt = bench().aTask(
    `${attach}print("conf", spark.conf.get("spark.headrace.test"), spark.conf.get("spark.sql.shuffle.partitions"))`,
  );
  const sparkConf = { 'spark.headrace.test': secret, 'spark.sql.shuffle.partitions': '3' };

  bench().source.offer({ ...attempt, cluster: { ...attempt.cluster, hostKey: 'conf', sparkConf } });

  await bench().source.reported(attempt.attemptId, 'ended');
  expect(bench().log(attempt)).toContain(`conf ${secret} 3`);
  const driver = bench()
    .census()
    .find((line) => line.includes('SparkSubmit'));
  expect(driver).toContain('--properties-file');
  expect(driver).not.toContain('c:d');
}, 180_000);

test('a stop ends the job that is under way: the next attempt finds none', async () => {
  await bench().startWorker();
  const endless = bench().aTask(`${attach}
import time
print("begun", flush=True)
spark.sparkContext.parallelize([1], 1).map(lambda _: time.sleep(600)).count()
`);
  bench().source.offer(endless);
  await expect.poll(() => exists(endless) && bench().log(endless), { timeout: 90_000 }).toContain('begun');
  const looking = bench().aTask(`${attach}
print("active", list(spark.sparkContext.statusTracker().getActiveJobsIds()))
`);

  bench().source.stop({ attemptId: endless.attemptId, epoch: 1, reason: 'timed_out' });

  expect(await bench().source.reported(endless.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'stopped' },
  });
  bench().source.offer(looking);
  await bench().source.reported(looking.attemptId, 'ended');
  expect(bench().log(looking)).toContain('active []');
}, 180_000);

test('a stop does not wait for a driver that is starting; a killed host takes its driver along', async () => {
  await bench().startWorker();
  const impatient = bench().aTask(`import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n${attach}`);
  bench().source.offer(impatient);
  const sparkState = () => bench().source.hostReports.at(-1)?.sparkState;
  await expect.poll(sparkState, { timeout: 30_000 }).toBe('starting');

  bench().source.stop({ attemptId: impatient.attemptId, epoch: 1, reason: 'cancelled_by_user' });

  expect(await bench().source.reported(impatient.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'stopped' },
  });
  expect(sparkState()).toBe('starting');
  process.kill(bench().hostPid(), 'SIGKILL');
  await expect.poll(() => bench().source.hostReports.at(-1)?.state).toBe('failed');
  expect(bench().census()).toEqual([]);
}, 60_000);

test('when the driver dies, its attempts fail with that reason, and the next attempt gets a new driver', async () => {
  await bench().startWorker();
  const victim = bench().aTask(`${attach}
import time
print("attached", flush=True)
while True:
    spark.range(10).count()
    time.sleep(0.1)
`);
  bench().source.offer(victim);
  await expect.poll(() => exists(victim) && bench().log(victim), { timeout: 90_000 }).toContain('attached');
  const java = bench()
    .census()
    .find((line) => line.includes('SparkSubmit'));

  process.kill(Number(java?.split(' ')[0]), 'SIGKILL');

  const { outcome } = await bench().source.reported(victim.attemptId, 'ended');
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'DRIVER_ERROR' } });
  const next = bench().aTask(`${attach}print(spark.range(7).count())`);
  bench().source.offer(next);
  const ended = await bench().source.reported(next.attemptId, 'ended');
  expect(ended, bench().log(next)).toMatchObject({ outcome: { kind: 'succeeded' } });
}, 180_000);

function exists(attempt: { runId: number; attemptId: number }): boolean {
  const folder = path.join(bench().folder, 'data/attempts', String(attempt.runId), String(attempt.attemptId));
  return fs.existsSync(path.join(folder, 'output.log'));
}
