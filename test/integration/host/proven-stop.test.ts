/** What no attempt may do after its end is recorded: commit, hold a Spark job, a stream, a thread or a process. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ClaimedAttempt } from '../../../packages/worker/src/ports.ts';
import { useHostBench } from './support.ts';

const bench = useHostBench({ spark: true });
/** Two threads, a stream, a UDF, a forked child, and a program in a session of its own. */
const writers = ['thread-1', 'thread-2', 'stream'] as const;

/**
 * Writes for ever, each commit under its name, and has no ear for SIGTERM. It says first what of others it finds in
 * the driver.
 */
function writerScript(name: string, folder: string, tail: string): string {
  return `
import os, signal, subprocess, sys, threading, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
from pyspark.sql import SparkSession
from pyspark.sql.functions import lit
spark = SparkSession.builder.getOrCreate()
${lookAround}
spark.conf.set("spark.databricks.delta.commitInfo.userMetadata", "${name}")
def write(table):
    while True:
        try:
            spark.range(100).withColumn("by", lit("${name}")).write.format("delta").mode("append").save(table)
        except Exception as error:
            print("goes on in spite of", type(error).__name__, flush=True)
for number in (1, 2):
    threading.Thread(target=write, args=("${folder}/thread-%d" % number,)).start()
rate = spark.readStream.format("rate").option("rowsPerSecond", 20).load()
stream = rate.writeStream.format("delta").option("checkpointLocation", "${folder}/checkpoint")
stream.trigger(processingTime="0 seconds").start("${folder}/stream")
def beat(_):
    while True:
        with open("${folder}/udf", "a") as file:
            file.write("${name}\\n")
        time.sleep(0.05)
threading.Thread(target=spark.sparkContext.parallelize([0], 1).foreach, args=(beat,)).start()
subprocess.Popen(
    ["sh", "-c", "trap '' TERM; while :; do echo ${name} >> ${folder}/program; sleep 0.05; done"],
    start_new_session=True,
)
if os.fork() == 0:
    os.setsid()
    while True:
        with open("${folder}/fork", "a") as file:
            file.write("${name}\\n")
        time.sleep(0.05)
${tail}
`;
}

const lookAround = `
context = spark.sparkContext
tag = context.getLocalProperty("spark.job.tags")
# Of the scheduler itself: the status tracker hears of begins and ends later than they happen.
active = context._jsc.sc().dagScheduler().activeJobs().toList()
print("active jobs", [active.apply(index).jobId() for index in range(active.size())], flush=True)
traces = context._jvm.java.lang.Thread.getAllStackTraces()
acting = set()
for thread in traces.keySet():
    group = thread.getThreadGroup()
    name = group.getName() if group is not None else ""
    if name.startswith("headrace-attempt-") and name != tag:
        # Spark's own pools may be born on a thread of any attempt, and wait for work from all.
        if any("py4j" in frame.getClassName() or "delta" in frame.getClassName() or "streaming" in frame.getClassName()
               for frame in traces[thread]):
            acting.add(name + "/" + thread.getName())
print("threads of others that act", sorted(acting), flush=True)
`;

test('nothing of an attempt acts after its recorded end, whether cancelled, timed out or dead: the next one writes alone', async () => {
  await bench().startWorker();
  const folder = path.join(bench().folder, 'written');
  fs.mkdirSync(folder);
  const goOn = 'threading.Event().wait()';
  // Its process ends at once; what its threads and its stream have under way in the driver does not.
  const die = `while not os.path.exists("${folder}/die"):\n    time.sleep(0.02)\nos._exit(3)`;
  const [first, second, third] = [
    bench().aTask(writerScript('first', folder, goOn)),
    bench().aTask(writerScript('second', folder, goOn)),
    bench().aTask(writerScript('third', folder, die)),
  ] as const;
  const last = bench().aTask(`
import time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
${lookAround}
time.sleep(2)
for writer in ${JSON.stringify(writers)}:
    print(writer, spark.read.format("delta").load("${folder}/" + writer).count() > 0)
`);
  const chain = [first, second, third, last];
  const atEnd = new Map<number, Written>();
  const { source } = bench();
  // What policy would do: the commit that records the end makes the next attempt.
  source.onReport = (report) => {
    if (report.kind === 'started') return;
    atEnd.set(report.attemptId, readWritten(folder));
    expect(processesOf(bench().folder, report.attemptId)).toEqual([]);
    const next = chain[chain.findIndex(({ attemptId }) => attemptId === report.attemptId) + 1];
    if (next !== undefined) source.offer(next);
  };
  source.offer(first);

  await hasWritten(folder, 'first', first);
  source.stop({ attemptId: first.attemptId, epoch: 1, reason: 'cancelled_by_user' });
  expect((await source.reported(first.attemptId, 'ended')).outcome).toEqual({ kind: 'stopped' });
  await hasWritten(folder, 'second', second);
  source.stop({ attemptId: second.attemptId, epoch: 1, reason: 'timed_out' });
  expect((await source.reported(second.attemptId, 'ended')).outcome).toEqual({ kind: 'stopped' });
  await hasWritten(folder, 'third', third);
  fs.writeFileSync(path.join(folder, 'die'), '');
  expect((await source.reported(third.attemptId, 'ended')).outcome).toMatchObject({ kind: 'failed' });
  const ended = await source.reported(last.attemptId, 'ended');

  expect(ended.outcome, bench().log(last)).toEqual({ kind: 'succeeded' });
  const after = readWritten(folder);
  for (const [name, attempt] of [
    ['first', first],
    ['second', second],
    ['third', third],
  ] as const) {
    for (const place of Object.keys(after)) {
      const known = atEnd.get(attempt.attemptId)?.[place] ?? [];
      const later = after[place]?.slice(known.length) ?? [];
      expect(later, `${place} after the end of ${name}`).not.toContain(name);
    }
  }
  for (const attempt of [second, third, last]) {
    expect(bench().log(attempt)).toContain('active jobs []');
    expect(bench().log(attempt)).toContain('threads of others that act []');
  }
}, 900_000);

/** Who wrote, place by place, in the order of the writes. */
type Written = Readonly<Record<string, readonly string[]>>;

function readWritten(folder: string): Written {
  const lines = (name: string) => {
    const file = path.join(folder, name);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  };
  const commits = writers.map((name) => [name, committers(path.join(folder, name))] as const);
  return {
    ...Object.fromEntries(commits),
    program: lines('program'),
    fork: lines('fork'),
    udf: lines('udf'),
  };
}

/** Of each version of a Delta table, the name that its commit carries. */
function committers(table: string): string[] {
  const log = path.join(table, '_delta_log');
  if (!fs.existsSync(log)) return [];
  const versions = fs.readdirSync(log).filter((name) => /^\d{20}\.json$/.test(name));
  return versions.sort().map((name) => {
    const text = fs.readFileSync(path.join(log, name), 'utf8');
    return /"userMetadata":"(\w+)"/.exec(text)?.[1] ?? 'nobody';
  });
}

async function hasWritten(folder: string, name: string, attempt: ClaimedAttempt): Promise<void> {
  await expect
    .poll(() => writtenBy(folder, name) || logOf(attempt), { timeout: 300_000, interval: 100 })
    .toBe(true);
}

/** More than once everywhere: it is in the middle of it. */
function writtenBy(folder: string, name: string): boolean {
  return Object.values(readWritten(folder)).every((names) => names.filter((by) => by === name).length > 1);
}

function logOf(attempt: ClaimedAttempt): string {
  try {
    return bench().log(attempt);
  } catch {
    return 'it has no log yet';
  }
}

/** All that carries the mark of the attempt. */
function processesOf(folder: string, attemptId: number): string[] {
  const mark = new RegExp(`HEADRACE_TASK_MARK=${folder}/data/attempts/\\d+/${attemptId}\0`);
  return fs.readdirSync('/proc').filter((pid) => {
    try {
      const isGone = /\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'));
      return !isGone && mark.test(fs.readFileSync(`/proc/${pid}/environ`, 'latin1'));
    } catch {
      return false;
    }
  });
}
