/** A cluster whose Spark driver runs out of heap. */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench({ spark: true });
const attach = `
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
`;

test('an exhausted heap fails the tasks that use the driver, no others, and the next task gets a new driver', async () => {
  await bench().startWorker();
  const sparkConf = { 'spark.driver.memory': '512m' };
  const onSmall = (script: string) => {
    const attempt = bench().aTask(script);
    return { ...attempt, cluster: { ...attempt.cluster, hostKey: 'small', sparkConf } };
  };
  const done = `${bench().folder}/done`;
  const light = onSmall(`
import os, time
while not os.path.exists("${done}"):
    time.sleep(0.05)
`);
  const greedy = onSmall(`${attach}
kept = spark._jvm.java.util.ArrayList()
while True:
    kept.add(spark._jvm.java.lang.StringBuilder(32 * 2**20))
`);
  bench().source.offer(light);
  bench().source.offer(greedy);

  const { outcome } = await bench().source.reported(greedy.attemptId, 'ended');

  expect(outcome, bench().log(greedy)).toMatchObject({
    kind: 'failed',
    failure: {
      code: 'DRIVER_ERROR',
      message:
        'The Spark driver ran out of memory and was ended; give the cluster more with spark.driver.memory.',
    },
  });
  const next = onSmall(`${attach}print(spark.range(7).count())`);
  bench().source.offer(next);
  const ended = await bench().source.reported(next.attemptId, 'ended');
  expect(ended, bench().log(next)).toMatchObject({ outcome: { kind: 'succeeded' } });
  fs.writeFileSync(done, '');
  expect(await bench().source.reported(light.attemptId, 'ended')).toMatchObject({
    outcome: { kind: 'succeeded' },
  });
}, 400_000);
