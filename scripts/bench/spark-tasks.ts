/** Tasks that use Spark on a server as people run it, and what they say of themselves: a log reaches us later. */
import path from 'node:path';
import type { Client } from '@headrace/api';
import type { InstalledServer } from './installed-server.ts';

const folder = '/Workspace/Shared/bench';
const waitMs = 300_000;

const begin = `
from pyspark.sql import SparkSession
import time
spark = SparkSession.builder.getOrCreate()
`;
/** The clock is one that both sides share, and that does not step. */
const tell = `print(f"told {value} at {time.monotonic_ns()}", flush=True)\n`;

const scripts = {
  count: `${begin}value = spark.range(10).count()\n${tell}`,
  /** Tells how many milliseconds the write alone took. */
  write: `${begin}began = time.monotonic_ns()
spark.range(10).write.format("delta").save(f"dbfs:/bench/{began}")
value = (time.monotonic_ns() - began) / 1e6\n${tell}`,
  /** Tells the driver's heap after a collection, in bytes. */
  heap: `${begin}java = spark._jvm.java.lang
for _ in range(3): java.System.gc()
runtime = java.Runtime.getRuntime()
value = runtime.totalMemory() - runtime.freeMemory()\n${tell}`,
} as const;
export type ScriptName = keyof typeof scripts;

export interface ToldTiming {
  readonly value: number;
  /** From the request to the moment at which it was told. */
  readonly lineMs: number;
  /** To the end of the run, as a watcher of the run hears of it. */
  readonly endMs: number;
}

export interface SparkTasks {
  readonly client: Client;
  /** On the default cluster unless another one is named. */
  run(script: ScriptName, newCluster?: Readonly<Record<string, unknown>>): Promise<ToldTiming>;
  /** Many tasks, of which one in `each` counts with Spark; each run must succeed. */
  runMany(options: { readonly count: number; readonly each: number }): Promise<void>;
}

export async function prepareSparkTasks(server: InstalledServer): Promise<SparkTasks> {
  const client = await server.client();
  await client.workspaceMkdirs({ path: folder });
  for (const [name, text] of Object.entries({ ...scripts, light: 'print("light")\n' })) {
    const content = Buffer.from(text).toString('base64');
    await client.workspaceImport({ path: fileOf(name), format: 'RAW', content, overwrite: true });
  }
  return {
    client,
    run: (script, newCluster) => runTask(client, script, newCluster),
    runMany: (options) => runMany(client, options),
  };
}

function fileOf(name: string): string {
  return path.posix.join(folder, `${name}.py`);
}

async function runTask(
  client: Client,
  script: ScriptName,
  newCluster?: Readonly<Record<string, unknown>>,
): Promise<ToldTiming> {
  const askedAt = process.hrtime.bigint();
  const { run_id } = await client.runsSubmit({
    run_name: 'bench',
    tasks: [
      {
        task_key: script,
        ...(newCluster === undefined ? {} : { new_cluster: newCluster }),
        spark_python_task: { python_file: fileOf(script) },
      },
    ],
  });
  const taskRunId = await whenEnded(client, run_id);
  const endMs = Number(process.hrtime.bigint() - askedAt) / 1e6;
  const { log } = await client.taskLog({ run_id, task_run_id: taskRunId, offset: 0 });
  const [, value, toldAt] = /told ([\d.]+) at (\d+)/.exec(log) ?? [];
  if (value === undefined || toldAt === undefined) throw new Error(`${script} failed; its log: ${log}`);
  return { value: Number(value), lineMs: Number(BigInt(toldAt) - askedAt) / 1e6, endMs };
}

/** The id of its last task, when all have ended. */
export async function whenEnded(client: Client, run_id: number, limitMs = waitMs): Promise<number> {
  let taskRunId = 0;
  for await (const event of client.runEvents({ run_id }, { signal: AbortSignal.timeout(limitMs) })) {
    taskRunId = event.tasks[0]?.run_id ?? taskRunId;
    if (event.ended) break;
  }
  return taskRunId;
}

async function runMany(client: Client, { count, each }: { readonly count: number; readonly each: number }) {
  const { run_id } = await client.runsSubmit({
    run_name: 'bench',
    tasks: Array.from({ length: count }, (_, index) => ({
      task_key: `t${index}`,
      spark_python_task: { python_file: fileOf(index % each === 0 ? 'count' : 'light') },
    })),
  });
  await whenEnded(client, run_id);
  const { state } = await client.runsGet({ run_id });
  if (state.result_state !== 'SUCCESS') throw new Error(`a run ended as ${JSON.stringify(state)}`);
}
