/** The first Spark count of a task, a process and a session of its own, on a host whose JVM is warm. */
import path from 'node:path';
import type { Client } from '@headrace/api';
import { readRuntime, timeBareForks, timeBarePythons } from './baselines.ts';
import { withInstalledServer } from './installed-server.ts';
import { inMs, median, printRow } from './statistics.ts';

const counts = 9;
const warmUps = 3;
const baselines = 10;
const countFile = '/Workspace/Shared/bench/count.py';
/** The task itself tells when: the log reaches us later than it was printed. */
const countScript = `
from pyspark.sql import SparkSession
import time
count = SparkSession.builder.getOrCreate().range(10).count()
print(f"counted {count} at {time.time() * 1000:.3f}", flush=True)
`;

interface Timing {
  readonly lineMs: number;
  readonly endMs: number;
}

export async function benchSpark(): Promise<void> {
  const runtime = readRuntime();
  await withInstalledServer(async (server) => {
    await server.up();
    const client = await server.client();
    await client.workspaceMkdirs({ path: path.posix.dirname(countFile) });
    const content = Buffer.from(countScript).toString('base64');
    await client.workspaceImport({ path: countFile, format: 'RAW', content, overwrite: true });
    const cold = await timeCount(client);
    for (let turn = 0; turn < warmUps; turn++) await timeCount(client);

    const timings: Timing[] = [];
    const pythons: number[] = [];
    const forks: number[] = [];
    for (let turn = 0; turn < counts; turn++) {
      timings.push(await timeCount(client));
      pythons.push(timeBarePythons(runtime, baselines) / baselines);
      forks.push(timeBareForks(runtime, baselines) / baselines);
    }
    const line = median(timings.map(({ lineMs }) => lineMs));
    const bare = median(pythons);
    const fork = median(forks);
    printRow('first count of a cold host (starts the JVM), line', inMs(cold.lineMs), '');
    printRow('first count on a warm host, request to line', inMs(line), 'target 1200 ms');
    printRow(
      'first count on a warm host, request to end',
      inMs(median(timings.map((each) => each.endMs))),
      '',
    );
    printRow('one bare `python -I -S -c pass`', inMs(bare), `line: ratio ${(line / bare).toFixed(1)}`);
    printRow('one bare fork of a zygote', inMs(fork), `line: ratio ${(line / fork).toFixed(1)}`);
  });
}

async function timeCount(client: Client): Promise<Timing> {
  const startedAtMs = performance.timeOrigin + performance.now();
  const { run_id } = await client.runsSubmit({
    run_name: 'bench',
    tasks: [{ task_key: 'count', spark_python_task: { python_file: countFile } }],
  });
  let endedAtMs = Number.NaN;
  let taskRunId = 0;
  for await (const event of client.runEvents({ run_id }, { signal: AbortSignal.timeout(120_000) })) {
    taskRunId = event.tasks[0]?.run_id ?? taskRunId;
    if (!event.ended) continue;
    endedAtMs = performance.timeOrigin + performance.now();
    break;
  }
  const { log } = await client.taskLog({ run_id, task_run_id: taskRunId, offset: 0 });
  const printedAtMs = Number(/counted 10 at ([\d.]+)/.exec(log)?.[1]);
  if (Number.isNaN(printedAtMs)) throw new Error(`a count failed; its log: ${log}`);
  return { lineMs: printedAtMs - startedAtMs, endMs: endedAtMs - startedAtMs };
}
