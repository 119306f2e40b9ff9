/**
 * Pulls the plug on each kind of process while a real task merges into a real Delta table, and looks at what is left:
 * the table whole, every task run once or again only by policy, the run ended right, no process left over.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Client, createClient, type RunDocument } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findProcessesOf, waitUntil } from '../support/census.ts';

const run = promisify(execFile);
const main = path.resolve(import.meta.dirname, '../../packages/cli/src/main.ts');
/** Generous: a loaded machine starts a JVM in half a minute. */
const waitMsMax = 5 * 60_000;

let stateDir: string;
let client: Client;
let ledger: string;

beforeAll(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'hr-kill-'));
  ledger = path.join(stateDir, 'ledger');
  await start();
  await client.schemasCreate({ catalog_name: 'dev', name: 'plug' });
  await importNotebook('prepare', prepare);
  await importNotebook('merge', merge);
  await importNotebook('count', count);
});

afterAll(async () => {
  await headrace('down', '--state-dir', stateDir);
  expect(await findProcessesOf(stateDir)).toEqual([]);
  await rm(stateDir, { recursive: true, force: true });
});

test('the server is killed during a merge: the task goes on, the run ends right, everything ran once', {
  timeout: 2 * waitMsMax,
}, async () => {
  const runId = await submit('server', 0);
  await waitUntil('the merge is under way', () => hasLedger('server merge begins'), waitMsMax);

  process.kill((await readServer()).pid, 'SIGKILL');
  await start();
  const ended = await waitForEnd(runId);

  expect(ended.state).toMatchObject({ life_cycle_state: 'TERMINATED', result_state: 'SUCCESS' });
  expect(await readLedger('server')).toEqual([
    'server prepare begins',
    'server merge begins',
    'server merge ends',
    'server count begins',
  ]);
  expect(await resultOf(ended, 'count')).toBe(wholeTable);
});

test('the host is killed during a merge: the table is whole and the task is tried again by policy', {
  timeout: 2 * waitMsMax,
}, async () => {
  const runId = await submit('host', 1);
  await waitUntil('the merge is under way', () => hasLedger('host merge begins'), waitMsMax);

  for (const pid of await readHostPids()) process.kill(pid, 'SIGKILL');
  const ended = await waitForEnd(runId);

  expect(ended.state).toMatchObject({ life_cycle_state: 'TERMINATED', result_state: 'SUCCESS' });
  const attempts = ended.tasks
    ?.filter((task) => task.task_key === 'merge')
    .map((task) => task.attempt_number);
  expect(attempts).toEqual([0, 1]);
  expect((await readLedger('host')).filter((line) => line === 'host merge begins')).toHaveLength(2);
  expect(await resultOf(ended, 'count')).toBe(wholeTable);
});

/** 60,000 rows, all of the second version: neither half a merge nor a doubled one. */
const wholeTable = JSON.stringify({ rows: 60_000, keys: 60_000, versions: [2] });

const head = `# Databricks notebook source
table, ledger = dbutils.widgets.get("table"), dbutils.widgets.get("ledger")
def note(what):
    with open(ledger, "a") as file:
        file.write(f"{table.split('.')[-1]} {what}\\n")
`;
const prepare = `${head}
note("prepare begins")
spark.range(60000).selectExpr("id", "1 as version").write.mode("overwrite").saveAsTable(table)
`;
/** The join condition costs time on every row, so that there is a middle to be killed in. */
const merge = `${head}
from pyspark.sql.functions import udf
slow = udf(lambda value: (__import__("time").sleep(0.0001), value)[1], "long")
spark.range(60000).select(slow("id").alias("id")).createOrReplaceTempView("changes")
note("merge begins")
spark.sql(f"""merge into {table} t using changes c on t.id = c.id
  when matched then update set version = 2 when not matched then insert (id, version) values (c.id, 2)""")
note("merge ends")
`;
const count = `${head}
import json
note("count begins")
row = spark.sql(f"select count(*) rows, count(distinct id) keys, collect_set(version) versions from {table}").first()
dbutils.notebook.exit(json.dumps(row.asDict(), separators=(",", ":")))
`;

async function submit(name: string, mergeRetries: number): Promise<number> {
  const notebook = (key: string, rest: object = {}) => ({
    task_key: key,
    notebook_task: {
      notebook_path: `/Shared/plug/${key}`,
      base_parameters: { table: `dev.plug.${name}`, ledger },
    },
    ...rest,
  });
  const { run_id } = await client.runsSubmit({
    run_name: name,
    tasks: [
      notebook('prepare'),
      notebook('merge', { depends_on: [{ task_key: 'prepare' }], max_retries: mergeRetries }),
      notebook('count', { depends_on: [{ task_key: 'merge' }] }),
    ],
  });
  return run_id;
}

async function waitForEnd(runId: number): Promise<RunDocument> {
  await waitUntil(
    `run ${runId} has ended`,
    async () =>
      /TERMINATED|INTERNAL_ERROR/.test((await client.runsGet({ run_id: runId })).state.life_cycle_state),
    waitMsMax,
  );
  return client.runsGet({ run_id: runId });
}

async function resultOf(ended: RunDocument, key: string): Promise<string | undefined> {
  const task = ended.tasks?.find((each) => each.task_key === key);
  return (await client.runsGetOutput({ run_id: task?.run_id ?? 0 })).notebook_output?.result;
}

async function start(): Promise<void> {
  await headrace('up', '--state-dir', stateDir, '--port', '0', '--detach');
  const { url, token } = await readServer();
  client = createClient({ baseUrl: url, token });
}

async function headrace(...parameters: string[]): Promise<void> {
  await run(process.execPath, ['--conditions=source', main, ...parameters], {
    env: { PATH: process.env.PATH, HOME: stateDir },
  });
}

async function readServer(): Promise<{ url: string; token: string; pid: number }> {
  return JSON.parse(await readFile(path.join(stateDir, 'server.json'), 'utf8'));
}

async function readHostPids(): Promise<number[]> {
  const hosts = path.join(stateDir, 'hosts');
  const documents = (await readdir(hosts)).map((key) => readFile(path.join(hosts, key, 'host.json'), 'utf8'));
  return (await Promise.all(documents)).map((document) => JSON.parse(document).pid);
}

async function importNotebook(name: string, source: string): Promise<void> {
  await client.workspaceMkdirs({ path: '/Shared/plug' });
  const content = Buffer.from(source).toString('base64');
  await client.workspaceImport({
    path: `/Shared/plug/${name}`,
    format: 'SOURCE',
    language: 'PYTHON',
    content,
  });
}

async function readLedger(name: string): Promise<string[]> {
  const text = await readFile(ledger, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line.startsWith(`${name} `));
}

async function hasLedger(line: string): Promise<boolean> {
  return (await readLedger(line.split(' ')[0] ?? '')).includes(line);
}
