/** Jobs and runs with all pages of their long arrays, joined as public clients join them. */
import { ApiError, type Client, type JobDocument, type RunDocument } from '@headrace/api';
import { CommandError, exitCodes } from '../command-error.ts';

/** A for-each has at most 5,000 inputs, each tried a few times; more pages of 100 mean a server that repeats itself. */
const pagesMax = 1_000;

const runArrays = ['tasks', 'iterations', 'job_clusters', 'job_parameters', 'repair_history'] as const;

export async function getWholeRun(
  client: Client,
  runId: number,
  options: { readonly hasHistory?: boolean } = {},
): Promise<RunDocument> {
  const wanted = options.hasHistory ? { include_history: true } : {};
  return joinPages(
    (page_token) => client.runsGet({ run_id: runId, page_token, ...wanted }),
    (run, more) => {
      for (const name of runArrays) append(run, more, name);
    },
  );
}

export async function getWholeJob(client: Client, jobId: number): Promise<JobDocument> {
  return joinPages(
    (page_token) => client.jobsGet({ job_id: jobId, page_token }),
    (job, more) => {
      for (const name of ['tasks', 'job_clusters', 'parameters', 'environments'])
        append(job.settings, more.settings, name);
    },
  );
}

/** The id of a job given by id or by its exact name. */
export async function findJobId(client: Client, text: string): Promise<number> {
  if (/^\d+$/.test(text)) return Number(text);
  const { jobs = [] } = await client.jobsList({ name: text, limit: 2 });
  const [job, second] = jobs;
  if (job === undefined) {
    throw new CommandError(`no job is named "${text}"`, {
      exitCode: exitCodes.notFound,
      cure: '`headrace jobs list` shows the jobs there are',
      cause: new ApiError('RESOURCE_DOES_NOT_EXIST', text),
    });
  }
  if (second === undefined) return job.job_id;
  throw new CommandError(`several jobs are named "${text}"`, {
    exitCode: exitCodes.usage,
    cure: `name one by its id: ${jobs.map(({ job_id }) => job_id).join(', ')}`,
  });
}

interface Page {
  next_page_token?: string | undefined;
}

async function joinPages<T extends Page>(
  get: (token: string) => Promise<T>,
  join: (all: T, more: T) => void,
): Promise<T> {
  const all = await get('');
  let token = all.next_page_token;
  for (let page = 1; token !== undefined && token !== '' && page < pagesMax; page += 1) {
    const more = await get(token);
    join(all, more);
    token = more.next_page_token;
  }
  delete all.next_page_token;
  return all;
}

function append(all: Record<string, unknown>, more: Record<string, unknown>, name: string): void {
  const [first, second] = [all[name], more[name]];
  if (Array.isArray(second)) all[name] = Array.isArray(first) ? [...first, ...second] : second;
}
