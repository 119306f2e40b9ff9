/** Runs job documents against a server and says in which points they come to something else than expected. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Client, JobSettings } from '@headrace/api';
import { readRuntime } from '../bench/baselines.ts';
import { readDocument } from './documents.ts';
import type { Expectation, ExpectedRun, Made } from './expectations.ts';

const patienceMs = 15 * 60_000;
const notebooks = '/Repos/seed/jobs';

/** The files, tables' homes, secrets and so on where the documents look for them. */
export async function prepare(client: Client, folder: string): Promise<Made> {
  await importFolder(client, path.join(folder, 'notebooks'), notebooks);
  for (const name of ['sql', 'dbt_project']) {
    await importFolder(client, path.join(folder, name), `${notebooks}/${name}`);
  }
  await importFile(client, path.join(folder, 'init.sh'), '/Shared/seed/init.sh');
  await client.instancePoolsCreate(readDocument(folder, 'pool_definition'));
  await client.catalogsCreate({ name: 'dev' });
  await client.secretScopesCreate({ scope: 'partner' });
  await client.secretsPut({ scope: 'partner', key: 'api-key', string_value: 'k-123456' });
  const { policy_id } = await client.clusterPoliciesCreate(readDocument(folder, 'policy'));
  const { id } = await client.queriesCreate(readDocument(folder, 'query_sales'));
  return { policyId: policy_id, queryId: id, jar: await uploadJar(client, folder) };
}

async function importFolder(client: Client, local: string, remote: string): Promise<void> {
  for (const entry of fs.readdirSync(local, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    await importFile(client, file, `${remote}/${path.relative(local, file)}`);
  }
}

async function importFile(client: Client, local: string, remote: string): Promise<void> {
  const content = fs.readFileSync(local).toString('base64');
  await client.workspaceMkdirs({ path: path.posix.dirname(remote) });
  await client.workspaceImport({ path: remote, format: 'AUTO', content, overwrite: true });
}

/** Built by the script beside it, in a copy; needs `javac`. */
async function uploadJar(client: Client, folder: string): Promise<string | null> {
  const { spark } = readRuntime();
  if (spark === null || spawnSync('javac', ['-version']).error !== undefined) {
    console.error('no Spark or no javac here: the JAR task is left out');
    return null;
  }
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-jar-'));
  try {
    fs.cpSync(path.join(folder, 'jar'), copy, { recursive: true });
    const jars = path.dirname(spark.classPath.find((file) => /spark-sql_/.test(file)) ?? '');
    const { status, stderr } = spawnSync('sh', [path.join(copy, 'build.sh'), jars], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`build.sh failed: ${stderr}`);
    await client.schemasCreate({ catalog_name: 'dev', name: 'libs' });
    await client.volumesCreate({
      catalog_name: 'dev',
      schema_name: 'libs',
      name: 'jars',
      volume_type: 'MANAGED',
    });
    const remote = '/Volumes/dev/libs/jars/seed-wordcount.jar';
    await client.filesUpload(
      { path: remote, overwrite: true },
      { body: fs.readFileSync(path.join(copy, 'seed-wordcount.jar')) },
    );
    return remote;
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
}

/** Each that is bad input must be refused with a reason, and nothing stored. */
export async function playBadInput(client: Client, folder: string): Promise<string[]> {
  const bad = readDocument<{ why: string; job: JobSettings }[]>(folder, 'bad');
  if (bad.length === 0) return ['bad.json: it has no documents'];
  const before = await listJobs(client);
  const problems: string[] = [];
  for (const { why, job } of bad) {
    const answer = await client.jobsCreate(job).catch((error: { code?: string }) => error);
    if (!('code' in answer) || answer.code !== 'INVALID_PARAMETER_VALUE') {
      problems.push(`bad.json: ${why} was not refused`);
    }
  }
  const more = (await listJobs(client)).filter((id) => !before.includes(id));
  return more.length === 0 ? problems : [...problems, `bad.json: jobs ${more.join(', ')} were stored`];
}

async function listJobs(client: Client): Promise<number[]> {
  const ids: number[] = [];
  for (let pageToken = ''; ; ) {
    const page = await client.jobsList({ limit: 100, page_token: pageToken });
    ids.push(...(page.jobs ?? []).map(({ job_id }) => job_id));
    if (!page.has_more || !page.next_page_token) return ids;
    pageToken = page.next_page_token;
  }
}

/** The problems of one document, each with its name. */
export async function play(
  client: Client,
  { folder, made }: { readonly folder: string; readonly made: Made },
  expectation: Expectation,
): Promise<string[]> {
  const document = readDocument<JobSettings>(folder, expectation.file);
  const { job_id } = await client.jobsCreate(expectation.change?.(document, made) ?? document);
  const problems: string[] = [];
  for (const [index, expected] of expectation.runs.entries()) {
    const found = await playRun(client, { job_id, made }, expected);
    problems.push(...found.map((problem) => `${expectation.file}, run ${index + 1}: ${problem}`));
  }
  return problems;
}

async function playRun(
  client: Client,
  { job_id, made }: { readonly job_id: number; readonly made: Made },
  expected: ExpectedRun,
): Promise<string[]> {
  const { run_id } = await client.jobsRunNow({
    job_id,
    ...(expected.parameters && { job_parameters: expected.parameters }),
    ...(expected.notebookParameters && { notebook_params: expected.notebookParameters }),
  });
  for await (const event of client.runEvents({ run_id }, { signal: AbortSignal.timeout(patienceMs) })) {
    if (event.ended) break;
  }
  const run = await client.runsGet({ run_id });
  const problems: string[] = [];
  if (run.state?.result_state !== expected.state) {
    problems.push(`ended ${run.state?.result_state}, not ${expected.state}: ${run.state?.state_message}`);
  }
  for (const [key, [result, output]] of Object.entries(expected.tasks)) {
    const attempts = (run.tasks ?? []).filter(({ task_key }) => task_key === key);
    const task = attempts.at(-1);
    const count = expected.attempts?.[key] ?? attempts.length;
    if (attempts.length !== count) problems.push(`${key} had ${attempts.length} attempts, not ${count}`);
    if (task === undefined) {
      if (made.jar !== null || key !== 'jar') problems.push(`${key} is not part of the run`);
      continue;
    }
    if (task.state?.result_state !== result) {
      const { state_message } = task.state ?? {};
      problems.push(`${key} ended ${task.state?.result_state}, not ${result}: ${state_message}`);
      continue;
    }
    problems.push(
      ...(await judgeOutput(client, task.run_id, { key, output, secret: expected.neverLogged?.[key] })),
    );
  }
  return [
    ...problems,
    ...judgeWaits(
      (run.tasks ?? []).map(({ start_time }) => start_time ?? 0),
      expected,
    ),
  ];
}

interface ExpectedOutput {
  readonly key: string;
  readonly output: RegExp | undefined;
  readonly secret: string | undefined;
}

async function judgeOutput(
  client: Client,
  run_id: number,
  { key, output, secret }: ExpectedOutput,
): Promise<string[]> {
  const found = await client.runsGetOutput({ run_id });
  const { notebook_output, sql_output, logs, error } = found;
  const text = notebook_output?.result ?? error ?? (sql_output ? JSON.stringify(sql_output) : logs) ?? '';
  const problems: string[] = [];
  if (output !== undefined && !output.test(text)) {
    problems.push(`${key} gave ${JSON.stringify(text)}, not ${output}`);
  }
  if (secret === undefined) return problems;
  if (JSON.stringify(found).includes(secret)) problems.push(`${key} shows a secret`);
  if (!logs?.includes('[REDACTED]')) problems.push(`${key} shows no [REDACTED]`);
  return problems;
}

function judgeWaits(starts: readonly number[], { waitsMs }: ExpectedRun): string[] {
  if (waitsMs === undefined) return [];
  if (starts.length !== waitsMs.length + 1) return [`it had ${starts.length} attempts`];
  return waitsMs.flatMap((leastMs, index) => {
    const waitMs = (starts[index + 1] ?? 0) - (starts[index] ?? 0);
    return waitMs >= leastMs && waitMs < 2 * leastMs ? [] : [`attempt ${index + 2} came after ${waitMs} ms`];
  });
}
