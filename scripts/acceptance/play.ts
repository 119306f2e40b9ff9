/** Runs job documents against a server and says in which points they come to something else than expected. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Client, JobSettings } from '@headrace/api';
import { readRuntime } from '../bench/baselines.ts';
import { readDocument } from './documents.ts';
import type { Expectation, ExpectedRun, Made } from './expectations.ts';
import { judgeRun } from './judge-run.ts';

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
  return judgeRun(client, run_id, { expected, isOptional: (key) => key === 'jar' && made.jar === null });
}
