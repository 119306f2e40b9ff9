/** Paths in SQL texts of a task, on a real host and its driver: Spark and Python mean the same file. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench({ spark: true });

const program = `
import os
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
os.makedirs("/Volumes/main/default/files/in")
with open("/Volumes/main/default/files/in/a.csv", "w") as file:
    file.write("1\\n2\\n")
spark.sql("INSERT OVERWRITE DIRECTORY '/Volumes/main/default/files/out' USING parquet "
          "SELECT _c0 AS a FROM csv.\`/Volumes/main/default/files/in\`")
print("read", spark.sql("SELECT * FROM parquet.\`/Volumes/main/default/files/out\`").count())
print("written", any(name.endswith(".parquet") for name in os.listdir("/Volumes/main/default/files/out")))
`;

test('what a task writes to a volume by SQL, Python finds there', async () => {
  await bench().startWorker();
  const task = bench().aTask(program);

  bench().source.offer(task);
  const { outcome } = await bench().source.reported(task.attemptId, 'ended');

  expect(outcome, bench().log(task)).toEqual({ kind: 'succeeded' });
  expect(bench().log(task)).toContain('read 2\nwritten True');
  const folder = path.join(bench().folder, 'data/volumes/main/default/files/out');
  expect(fs.existsSync(path.join(folder, '_SUCCESS'))).toBe(true);
}, 600_000);
