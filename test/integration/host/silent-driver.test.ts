/** A Spark driver that lives and does not answer. */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench({ spark: true });
const patience = { timeout: 90_000 };

test('a driver that is stopped is told of; it goes on when it may, or is ended as if it had died', async () => {
  await bench().startWorker();
  const sparkConf = { 'spark.headrace.driverSilence': '1s', 'spark.headrace.driverTimeout': '6s' };
  const onSilent = (script: string) => {
    const attempt = bench().aTask(script);
    return { ...attempt, cluster: { ...attempt.cluster, hostKey: 'silent', sparkConf } };
  };
  const done = `${bench().folder}/done`;
  const counting = onSilent(`
import os
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("attached", flush=True)
while not os.path.exists("${done}"):
    spark.range(10).count()
print("well")
`);
  const light = onSilent(`
import os, time
while not os.path.exists("${done}"):
    time.sleep(0.05)
`);
  const told = () => bench().source.hostReports.map(({ sparkState }) => sparkState);
  bench().source.offer(counting);
  bench().source.offer(light);
  await expect.poll(() => hasPrinted(counting, 'attached'), patience).toBe(true);

  process.kill(driverPid(), 'SIGSTOP');
  await expect.poll(() => told().at(-1), patience).toBe('not_responding');
  const { message } = bench().source.hostReports.at(-1) ?? {};
  process.kill(driverPid(), 'SIGCONT');
  await expect.poll(() => told().at(-1), patience).toBe('ready');

  expect(message).toMatch(
    /^the Spark driver \(process \d+\) does not answer since \S+Z, for it is stopped \(SIGSTOP\): .*within 6 s/,
  );
  process.kill(driverPid(), 'SIGSTOP');
  const { outcome } = await bench().source.reported(counting.attemptId, 'ended');
  expect(outcome, bench().log(counting)).toMatchObject({
    kind: 'failed',
    failure: {
      code: 'DRIVER_ERROR',
      message: expect.stringContaining('did not answer for 6 s and was ended. The next task that uses Spark'),
    },
  });
  expect(told().slice(-3)).toEqual(['ready', 'not_responding', 'failed']);
  fs.writeFileSync(done, '');
  expect(await bench().source.reported(light.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
}, 300_000);

function hasPrinted(attempt: ReturnType<ReturnType<typeof bench>['aTask']>, words: string): boolean {
  try {
    return bench().log(attempt).includes(words);
  } catch {
    return false; // it has no log yet
  }
}

function driverPid(): number {
  const line = bench()
    .census()
    .find((found) => found.includes('SparkSubmit'));
  return Number(line?.split(' ')[0]);
}
