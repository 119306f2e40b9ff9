/** Notebooks below a task, on a real host: the task's end is theirs, and the driver goes on for everybody else. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useHostBench } from './support.ts';

const bench = useHostBench({ spark: true });

/** Sheds its tags, has no ear for SIGTERM, and commits for ever from two threads and a stream. */
const child = (folder: string) => `# Databricks notebook source
import signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
spark.sparkContext.setJobGroup("mine", "a group")
spark.sparkContext.clearJobTags()
def write(table):
    while True:
        try:
            spark.range(100).write.format("delta").mode("append").save(table)
        except Exception as error:
            print("goes on in spite of", type(error).__name__, flush=True)
for number in (1, 2):
    threading.Thread(target=write, args=("${folder}/thread-%d" % number,)).start()
rate = spark.readStream.format("rate").option("rowsPerSecond", 20).load()
stream = rate.writeStream.format("delta").option("checkpointLocation", "${folder}/checkpoint")
stream.trigger(processingTime="0 seconds").start("${folder}/stream")
`;

const look = `
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
tag = context._jsc.sc().getLocalProperty("spark.job.tags")
traces = context._jvm.java.lang.Thread.getAllStackTraces()
acting = set()
for thread in traces.keySet():
    group = thread.getThreadGroup()
    name = group.getName() if group is not None else ""
    if name.startswith("headrace-attempt-") and name != tag:
        if any("py4j" in frame.getClassName() or "delta" in frame.getClassName() or "streaming" in frame.getClassName()
               for frame in traces[thread]):
            acting.add(name + "/" + thread.getName())
print("jvm", context._jvm.java.lang.ProcessHandle.current().pid())
print("active jobs", list(context.statusTracker().getActiveJobsIds()), "threads of others that act", sorted(acting))
`;

test('a cancelled task takes the notebooks that it runs along, and what they do in Spark', async () => {
  await bench().startWorker();
  const folder = path.join(bench().folder, 'written');
  const notebooks = path.join(bench().folder, 'data/workspace/Users/ann');
  fs.mkdirSync(notebooks, { recursive: true });
  fs.writeFileSync(path.join(notebooks, 'child'), child(folder));
  const first = bench().aTask(`${look}\ndbutils.notebook.run("/Users/ann/child", 600)`);
  const second = bench().aTask(look);
  bench().source.offer(first);
  await expect.poll(() => places(folder).every((commits) => commits > 1), { timeout: 300_000 }).toBe(true);

  bench().source.stop({ attemptId: first.attemptId, epoch: 1, reason: 'cancelled_by_user' });
  const ended = await bench().source.reported(first.attemptId, 'ended');
  const atEnd = places(folder);
  bench().source.offer(second);
  const looked = await bench().source.reported(second.attemptId, 'ended');

  expect(ended.outcome, bench().log(first)).toEqual({ kind: 'stopped' });
  expect(looked.outcome, bench().log(second)).toEqual({ kind: 'succeeded' });
  expect(bench().log(second)).toContain('active jobs [] threads of others that act []');
  // The driver was not restarted to prove it.
  const jvm = /jvm \d+/.exec(bench().log(first))?.[0];
  expect(bench().log(second)).toContain(jvm);
  expect(places(folder)).toEqual(atEnd);
}, 600_000);

/** How many commits each table has. */
function places(folder: string): number[] {
  return ['thread-1', 'thread-2', 'stream'].map((name) => {
    const log = path.join(folder, name, '_delta_log');
    return fs.existsSync(log) ? fs.readdirSync(log).filter((file) => /^\d{20}\.json$/.test(file)).length : 0;
  });
}
