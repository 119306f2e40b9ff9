/** A server of its own in this process, over hosts that are real processes, and Python tasks for them. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { createLocalBackend } from '@headrace/worker';
import { readRuntime, repository } from './baselines.ts';
import { type BenchServer, startBenchServer, workerOver } from './bench-server.ts';
import type { SampleTasks } from './sample-jobs.ts';

const folder = '/Workspace/Shared/bench';
const lightFile = `${folder}/light.py`;

/** What a task that tells when its first line ran is written as. */
export type Script = 'file' | 'notebook';

export interface TaskBench extends BenchServer {
  /** Milliseconds until the last of the runs has ended; each must succeed. */
  timeRuns(runs: readonly SampleTasks[]): Promise<number>;
  /** A job of one task that tells when its first line ran. */
  makeJob(script: Script): Promise<number>;
  /** Milliseconds from the request of a run until the first line of user code. */
  timeFirstLine(jobId: number): Promise<number>;
}

export async function withTaskBench(
  { slots, preimport }: { readonly slots: number; readonly preimport: readonly string[] },
  use: (bench: TaskBench) => Promise<void>,
): Promise<void> {
  const start = workerOver(slots, ({ hostsFolder, dataRoot, workerId }) =>
    createLocalBackend({
      ...{ hostsFolder, dataRoot, workerId, preimport, warmUp: false, runtime: readRuntime() },
      pythonPath: path.join(repository, 'python'),
      environment: process.env,
    }),
  );
  const bench = await startBenchServer({ slots, start });
  try {
    await bench.client.workspaceMkdirs({ path: folder });
    await upload(bench, lightFile, 'print("light")\n');
    const line = path.join(bench.server.services.config.stateDir, 'first-line');
    await use({
      ...bench,
      timeRuns: (runs) => timeRuns(bench, runs),
      makeJob: (script) => makeJob(bench, script, line),
      timeFirstLine: (jobId) => timeFirstLine(bench, jobId, line),
    });
  } finally {
    await bench.stop();
  }
}

async function upload({ client }: BenchServer, file: string, text: string): Promise<void> {
  const content = Buffer.from(text).toString('base64');
  await client.workspaceImport({ path: file, format: 'RAW', content, overwrite: true });
}

async function timeRuns(bench: BenchServer, runs: readonly SampleTasks[]): Promise<number> {
  let runIds: readonly number[] = [];
  const elapsedMs = await bench.timeToEnd(async () => {
    const made = runs.map((tasks) => bench.client.runsSubmit({ run_name: 'bench', tasks: asReal(tasks) }));
    runIds = (await Promise.all(made)).map(({ run_id }) => run_id);
    return runIds;
  });
  await Promise.all(runIds.map((runId) => expectSuccess(bench, runId)));
  return elapsedMs;
}

function asReal(tasks: SampleTasks): SampleTasks {
  return tasks.map((task) => ({ ...task, spark_python_task: { python_file: lightFile } }));
}

async function expectSuccess({ client }: BenchServer, runId: number): Promise<void> {
  const { state } = await client.runsGet({ run_id: runId });
  if (state.result_state !== 'SUCCESS') throw new Error(`a run ended as ${JSON.stringify(state)}`);
}

/** The clock is one that both sides share, and that does not step. */
async function makeJob(bench: BenchServer, script: Script, line: string): Promise<number> {
  const isNotebook = script === 'notebook';
  const file = `${folder}/first-line${isNotebook ? '' : '.py'}`;
  const text = `import time\nnow = time.monotonic_ns()\nopen(${JSON.stringify(line)}, "w").write(str(now))\n`;
  if (isNotebook) {
    const content = Buffer.from(`# Databricks notebook source\n${text}`).toString('base64');
    const source = { format: 'SOURCE', language: 'PYTHON', content, overwrite: true } as const;
    await bench.client.workspaceImport({ path: file, ...source });
  } else {
    await upload(bench, file, text);
  }
  const work = isNotebook
    ? { notebook_task: { notebook_path: file } }
    : { spark_python_task: { python_file: file } };
  const { job_id } = await bench.client.jobsCreate({ name: script, tasks: [{ task_key: 'only', ...work }] });
  return job_id;
}

async function timeFirstLine(bench: BenchServer, jobId: number, line: string): Promise<number> {
  let runId = 0;
  let askedAt = 0n;
  await bench.timeToEnd(async () => {
    askedAt = process.hrtime.bigint();
    runId = (await bench.client.jobsRunNow({ job_id: jobId })).run_id;
    return [runId];
  });
  await expectSuccess(bench, runId);
  const firstAt = BigInt(await fs.readFile(line, 'utf8'));
  return Number(firstAt - askedAt) / 1e6;
}
