/** What a pool is for: the driver of a waiting host runs already when a task first asks for Spark. */
import fs from 'node:fs';
import path from 'node:path';
import { toSpareClusterId } from '@headrace/core';
import { expect, test } from 'vitest';
import { aCluster } from '../../../packages/worker/src/testing/memory-source.ts';
import { useHostBench } from './support.ts';

const bench = useHostBench({ spark: true });

const place = { poolId: 'p', name: 'pool', capacityMax: null };
const conf = { 'spark.master': 'local[2]' };

test('the first Spark task of a cluster finds the driver that waited, with its own session settings', async () => {
  await bench().startWorker();
  const clusterId = toSpareClusterId('p');
  const spare = { clusterId, hostKey: 'abc-12', sparkConf: conf, pool: { ...place, isSpare: true } };
  bench().source.orderHosts(aCluster(spare));
  const reports = () => bench().source.hostReports;
  await expect
    .poll(() => reports().some(({ sparkState }) => sparkState === 'ready'), { timeout: 240_000 })
    .toBe(true);
  // It warms up by a small Delta write before it waits.
  const warm = path.join(bench().folder, 'hosts', 'abc-12', 'warm-up');
  await expect.poll(() => fs.existsSync(warm), { timeout: 240_000 }).toBe(true);

  const pool = { ...place, isSpare: false };
  const cluster = aCluster({ clusterId: 'job-7', hostKey: 'ofjob7', sparkConf: conf, idleMs: 60_000, pool });
  const asking = bench().aTask(
    `from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("count", spark.range(1000).count(), "partitions", spark.conf.get("spark.sql.shuffle.partitions"))
`,
    { cluster },
  );
  const spark = { ...asking.document.spark, conf: { 'spark.sql.shuffle.partitions': '7' } };
  const began = performance.now();
  bench().source.offer({ ...asking, document: { ...asking.document, spark } });

  const ended = await bench().source.reported(asking.attemptId, 'ended');
  const elapsedMs = performance.now() - began;
  expect(ended, bench().log(asking)).toMatchObject({ outcome: { kind: 'succeeded' } });
  expect(bench().log(asking)).toBe('count 1000 partitions 7\n');
  // No second driver was started for it.
  const starts = reports().filter(({ sparkState }) => sparkState === 'starting');
  expect(starts).toHaveLength(1);
  expect(reports().find((report) => report.clusterId === 'job-7')).toMatchObject({
    sparkState: 'ready',
    message: "it took a waiting host of instance pool 'pool' (p)",
  });
  if (process.env.HEADRACE_TEST_LOG)
    console.log('first count on a waiting host', Math.round(elapsedMs), 'ms');
});
