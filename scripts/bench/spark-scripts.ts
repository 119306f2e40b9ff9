/** Longer Spark scripts of a benchmark: each tells what it measured as one JSON document at the end of its log. */
import path from 'node:path';
import type { Client } from '@headrace/api';
import { whenEnded } from './spark-tasks.ts';

const folder = '/Workspace/Shared/bench';
const waitMs = 1_200_000;
const mark = 'told-document ';

/** Runs on the default cluster; `parameters` are the script's `sys.argv[1:]`; it ends with `tell(document)`. */
export async function runSparkScript(
  client: Client,
  script: { readonly name: string; readonly text: string; readonly parameters?: readonly string[] },
): Promise<unknown> {
  const file = path.posix.join(folder, `${script.name}.py`);
  const content = Buffer.from(`${prelude}${script.text}`).toString('base64');
  await client.workspaceMkdirs({ path: folder });
  await client.workspaceImport({ path: file, format: 'RAW', content, overwrite: true });
  const task = { python_file: file, parameters: [...(script.parameters ?? [])] };
  const tasks = [{ task_key: script.name, spark_python_task: task }];
  const { run_id } = await client.runsSubmit({ run_name: 'bench', tasks });
  const taskRunId = await whenEnded(client, run_id, waitMs);
  const { log } = await client.taskLog({ run_id, task_run_id: taskRunId, offset: 0 });
  const told = log.split('\n').findLast((line) => line.startsWith(mark));
  if (told === undefined) throw new Error(`${script.name} failed; its log: ${log.slice(-4_000)}`);
  return JSON.parse(told.slice(mark.length));
}

const prelude = `
import json, sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()

def timed(work):
    began = time.monotonic_ns()
    work()
    return (time.monotonic_ns() - began) / 1e6

def tell(document):
    print("${mark}" + json.dumps(document), flush=True)
`;
