/** The documents that show calls rather than jobs: one-time runs, repeated calls, replaced settings. */
import type { Client, JobSettings } from '@headrace/api';
import { readDocument } from './documents.ts';

type Call<Name extends keyof Client> = Parameters<Client[Name]>[0];

export async function playCalls(client: Client, folder: string): Promise<string[]> {
  return [
    ...(await playOneTimeRun(client, folder)),
    ...(await playRepeatedRunNow(client, folder)),
    ...(await playReset(client, folder)),
  ];
}

/** In the single-task form, with a number as text. */
async function playOneTimeRun(client: Client, folder: string): Promise<string[]> {
  const document = readDocument<Call<'runsSubmit'> & { run_name: string }>(folder, 'submit_single');
  const { run_id } = await client.runsSubmit(document);
  const events = client.runEvents({ run_id }, { signal: AbortSignal.timeout(300_000) });
  for await (const event of events) if (event.ended) break;
  const { tasks, state } = await client.runsGet({ run_id });
  const problems: string[] = [];
  if (tasks?.length !== 1 || tasks[0]?.task_key !== document.run_name) {
    problems.push(`submit_single: its task is ${tasks?.map(({ task_key }) => task_key)}`);
  }
  if (state?.result_state !== 'SUCCESS') problems.push(`submit_single ended ${state?.result_state}`);
  return problems;
}

async function playRepeatedRunNow(client: Client, folder: string): Promise<string[]> {
  const { job_id } = await client.jobsCreate(readDocument<JobSettings>(folder, 'guarded'));
  const call = { ...readDocument<Call<'jobsRunNow'>>(folder, 'run_now'), job_id };
  const first = await client.jobsRunNow(call);
  const second = await client.jobsRunNow(call);
  return first.run_id === second.run_id ? [] : ['run_now: the same token gave a second run'];
}

async function playReset(client: Client, folder: string): Promise<string[]> {
  const { job_id } = await client.jobsCreate(readDocument<JobSettings>(folder, 'linear'));
  const new_settings = readDocument<JobSettings>(folder, 'reset');
  await client.jobsReset({ job_id, new_settings });
  const { settings } = await client.jobsGet({ job_id });
  return settings?.tasks?.length === 2 && settings.max_concurrent_runs === 2
    ? []
    : [`reset: the job has ${settings?.tasks?.length} tasks`];
}
