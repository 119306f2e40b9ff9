/** Runs job documents against a server and says in which points they come to something else than expected. */
import fs from 'node:fs';
import path from 'node:path';
import type { Client, JobSettings } from '@headrace/api';
import type { Expectation, ExpectedRun } from './expectations.ts';

const patienceMs = 15 * 60_000;
const notebooks = '/Repos/seed/jobs';

/** The notebooks where the documents look for them, and the pool that one of them names. */
export async function prepare(client: Client, folder: string): Promise<void> {
  for (const name of fs.readdirSync(path.join(folder, 'notebooks'))) {
    const content = fs.readFileSync(path.join(folder, 'notebooks', name)).toString('base64');
    await client.workspaceMkdirs({ path: notebooks });
    await client.workspaceImport({ path: `${notebooks}/${name}`, format: 'AUTO', content, overwrite: true });
  }
  await client.instancePoolsCreate(read(folder, 'pool_definition'));
}

/** Each that is bad input must be refused with a reason, and nothing stored. */
export async function playBadInput(client: Client, folder: string): Promise<string[]> {
  const bad = read<{ why: string; job: JobSettings }[]>(folder, 'bad');
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
export async function play(client: Client, folder: string, expectation: Expectation): Promise<string[]> {
  const document = read<JobSettings>(folder, expectation.file);
  const { job_id } = await client.jobsCreate(expectation.change?.(document) ?? document);
  const problems: string[] = [];
  for (const [index, expected] of expectation.runs.entries()) {
    const found = await playRun(client, job_id, expected);
    problems.push(...found.map((problem) => `${expectation.file}, run ${index + 1}: ${problem}`));
  }
  return problems;
}

async function playRun(client: Client, job_id: number, expected: ExpectedRun): Promise<string[]> {
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
    const task = (run.tasks ?? []).filter(({ task_key }) => task_key === key).at(-1);
    if (task?.state?.result_state !== result) {
      problems.push(`${key} ended ${task?.state?.result_state}, not ${result}`);
    } else if (output !== undefined) {
      const { notebook_output, logs, error } = await client.runsGetOutput({ run_id: task.run_id });
      const text = notebook_output?.result ?? error ?? logs ?? '';
      if (!output.test(text)) problems.push(`${key} gave ${JSON.stringify(text)}, not ${output}`);
    }
  }
  return [
    ...problems,
    ...judgeWaits(
      (run.tasks ?? []).map(({ start_time }) => start_time ?? 0),
      expected,
    ),
  ];
}

function judgeWaits(starts: readonly number[], { waitsMs }: ExpectedRun): string[] {
  if (waitsMs === undefined) return [];
  if (starts.length !== waitsMs.length + 1) return [`it had ${starts.length} attempts`];
  return waitsMs.flatMap((leastMs, index) => {
    const waitMs = (starts[index + 1] ?? 0) - (starts[index] ?? 0);
    return waitMs >= leastMs && waitMs < 2 * leastMs ? [] : [`attempt ${index + 2} came after ${waitMs} ms`];
  });
}

function read<T>(folder: string, name: string): T {
  return JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8')) as T;
}
