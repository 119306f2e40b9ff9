// The flights example on a real server with a real Spark, compared with numbers that plain Python derives from the raw
// data (examples/flights/tests/expected.py, which knows nothing of the pipeline).

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Client, createClient } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../support/census.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');
const example = path.join(root, 'examples/flights');
/** A run takes 15–25 s on two quiet cores, the first one twice that; a loaded machine several times more. */
const RUN_MS_MAX = 6 * 60_000;

let stateDir: string;
let client: Client;

async function headrace(...parameters: string[]): Promise<string> {
  const main = path.join(root, 'packages/cli/src/main.ts');
  const { stdout } = await run(process.execPath, ['--conditions=source', main, ...parameters], {
    cwd: example,
    env: { PATH: process.env.PATH, HOME: stateDir, ...(await connection()) },
  });
  return stdout;
}

async function connection(): Promise<Record<string, string>> {
  try {
    const { url, token } = JSON.parse(await readFile(path.join(stateDir, 'server.json'), 'utf8'));
    return { HEADRACE_HOST: url, HEADRACE_TOKEN: token };
  } catch {
    return {}; // Not up yet, or down again.
  }
}

const ENDED = ['TERMINATED', 'INTERNAL_ERROR', 'SKIPPED'];

async function endOf(runId: number) {
  const look = () => client.runsGet({ run_id: runId });
  await waitUntil(
    `run ${runId} has ended`,
    async () => ENDED.includes((await look()).state?.life_cycle_state ?? ''),
    RUN_MS_MAX,
  );
  return look();
}

/** What a notebook of a run that succeeded returned. */
async function waitForRun(runId: number, taskKey: string): Promise<string> {
  const document = await endOf(runId);
  expect(document.state).toMatchObject({ result_state: 'SUCCESS' });
  return outputOf(document, taskKey);
}

async function outputOf(document: Awaited<ReturnType<typeof endOf>>, taskKey: string): Promise<string> {
  const task = document.tasks?.find(({ task_key }) => task_key === taskKey);
  const { notebook_output } = await client.runsGetOutput({ run_id: task?.run_id ?? 0 });
  return String((notebook_output as { result?: unknown } | undefined)?.result);
}

async function python(code: string): Promise<string> {
  const { stdout } = await run(
    'python3',
    ['-c', `import json, sys; sys.path.insert(0, 'tests'); import expected; ${code}`],
    {
      cwd: example,
    },
  );
  return stdout;
}

/** The same questions that expected.py answers, asked of the tables by a notebook. */
async function askTables(): Promise<unknown> {
  const queries = await python(
    "print(json.dumps({t: q.format(catalog='dev') for t, q in expected.QUERIES.items()}))",
  );
  const notebook = `# Databricks notebook source
import json
queries = json.loads(${JSON.stringify(queries.trim())})
dbutils.notebook.exit(json.dumps({table: spark.sql(query).first().asDict() for table, query in queries.items()}))
`;
  const notebook_path = '/Workspace/Shared/ask_tables';
  await client.workspaceMkdirs({ path: '/Workspace/Shared' });
  await client.workspaceImport({
    path: notebook_path,
    format: 'SOURCE',
    language: 'PYTHON',
    overwrite: true,
    content: Buffer.from(notebook).toString('base64'),
  });
  const { run_id } = await client.runsSubmit({
    tasks: [{ task_key: 'ask', notebook_task: { notebook_path } }],
  });
  return JSON.parse(await waitForRun(run_id, 'ask'));
}

async function expectTables(...days: string[]): Promise<unknown> {
  const dates = days.map((day) => `expected.date.fromisoformat('${day}')`).join(', ');
  return JSON.parse(await python(`print(json.dumps(expected.expect([${dates}])))`));
}

async function startDay(day: string): Promise<number> {
  const { jobs } = await client.jobsList({ name: '[dev admin] flights_daily' });
  const { run_id } = await client.jobsRunNow({
    job_id: jobs?.[0]?.job_id ?? 0,
    job_parameters: { run_date: day },
  });
  return run_id;
}

async function runDay(day: string): Promise<string> {
  return waitForRun(await startDay(day), 'publish');
}

beforeAll(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'headrace-flights-'));
  await headrace('up', '--state-dir', stateDir, '--port', '0', '--detach');
  const { HEADRACE_HOST: baseUrl = '', HEADRACE_TOKEN: token } = await connection();
  client = createClient({ baseUrl, token });
  await headrace('bundle', 'deploy', '-t', 'dev');
});

afterAll(async () => {
  await headrace('down', '--state-dir', stateDir);
  expect(await findProcessesOf(stateDir)).toEqual([]);
  await rm(stateDir, { recursive: true, force: true });
});

test('the tables hold what the raw data says, and a day may be run again', {
  timeout: 4 * RUN_MS_MAX,
}, async () => {
  expect(await headrace('bundle', 'plan', '-t', 'dev')).toContain('nothing to do');

  const first = JSON.parse(await runDay('2013-01-01'));
  expect(first).toMatchObject({ rows: 846, flights: 822, quarantined: 7, duplicates: 17, late: 0 });
  expect(await askTables()).toEqual(await expectTables('2013-01-01'));

  await runDay('2013-01-02');
  const both = await expectTables('2013-01-01', '2013-01-02');
  expect(await askTables()).toEqual(both);

  await runDay('2013-01-01');
  expect(await askTables()).toEqual(both);
});

test('a run of a day that there is no data for fails, and the alert says why', async () => {
  const run = await endOf(await startDay('2013-06-01'));

  expect(run.state).toMatchObject({ result_state: 'FAILED' });
  expect(JSON.parse(await outputOf(run, 'alert'))).toEqual({
    failed: ['land'],
    not_run: ['bronze', 'silver', 'gold_delays', 'gold_routes'],
  });
});
