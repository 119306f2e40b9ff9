/** What a process costs at least on this machine at this moment: no number of another moment can be compared with. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HostRuntime, preimportDefault, readHostRuntime } from '@headrace/worker';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

export function readRuntime(): HostRuntime {
  return readHostRuntime(path.join(repository, '.runtime/runtime.json'));
}

/** Milliseconds for so many bare Pythons, one after the other. */
export function timeBarePythons({ python }: HostRuntime, count: number): number {
  const startedAt = performance.now();
  for (let index = 0; index < count; index++) spawnSync(python, ['-I', '-S', '-c', 'pass']);
  return performance.now() - startedAt;
}

/** One process with what the host's zygote has imported, forking and waiting in a loop. */
export function timeBareForks(
  { python }: HostRuntime,
  count: number,
  preimport: readonly string[] = preimportDefault,
): number {
  const script = `
import importlib, os, time
for name in ${JSON.stringify(preimport)}:
    importlib.import_module(name)
began = time.perf_counter()
for _ in range(${count}):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print((time.perf_counter() - began) * 1000)
`;
  const { stdout, stderr } = spawnSync(python, ['-c', script], { encoding: 'utf8' });
  const elapsedMs = Number.parseFloat(stdout);
  if (Number.isNaN(elapsedMs)) throw new Error(`the fork baseline failed: ${stderr}`);
  return elapsedMs;
}

/** Milliseconds from the start of a Python to its first count, with Delta; null where Spark's launcher refuses this Java. */
export function timeBareSpark({ python, spark }: HostRuntime): number | null {
  if (spark === null) return null;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-bench-spark-'));
  const deltaJars = spark.classPath.filter((jar) => !jar.startsWith(spark.sparkHome));
  const script = `
import time
from pyspark.sql import SparkSession
spark = (SparkSession.builder.master("local[2]")
    .config("spark.driver.extraClassPath", ${JSON.stringify(deltaJars.join(path.delimiter))})
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.ui.enabled", "false")
    .getOrCreate())
assert spark.range(10).count() == 10
print("counted", time.monotonic_ns())
spark.stop()
`;
  try {
    const { PATH, HOME, LANG } = process.env;
    const env = {
      PATH,
      HOME,
      LANG,
      JAVA_HOME: path.resolve(spark.java, '../..'),
      SPARK_LOCAL_IP: '127.0.0.1',
    };
    const startedAt = process.hrtime.bigint();
    const { stdout } = spawnSync(python, ['-c', script], { encoding: 'utf8', cwd: folder, env });
    const countedAt = /counted (\d+)/.exec(stdout)?.[1];
    return countedAt === undefined ? null : Number(BigInt(countedAt) - startedAt) / 1e6;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
