/** What pages ask for. Polling is for lists; a single run is followed by its events. */
import { type RunDocument, runsListLimitMax } from '@headrace/api';
import { queryOptions } from '@tanstack/react-query';
import { client } from './client.ts';

const listRefreshMs = 5_000;
/** One request for each job of the page: not as often as the list itself. */
const recentRunsRefreshMs = 15_000;
const healthRefreshMs = 5_000;

export const queries = {
  me: () =>
    queryOptions({ queryKey: ['currentUserMe'], queryFn: () => client.currentUserMe({}), staleTime: 60_000 }),
  health: () =>
    queryOptions({
      queryKey: ['healthz'],
      queryFn: () => client.healthz({}),
      refetchInterval: healthRefreshMs,
    }),
  jobs: (pageToken: string) =>
    queryOptions({
      queryKey: ['jobsList', { pageToken }],
      queryFn: () => client.jobsList({ limit: 50, expand_tasks: false, page_token: pageToken }),
      refetchInterval: listRefreshMs,
    }),
  job: (jobId: number) =>
    queryOptions({ queryKey: ['jobsGet', { jobId }], queryFn: () => client.jobsGet({ job_id: jobId }) }),
  runs: (request: {
    jobId?: number | undefined;
    show?: 'active' | 'completed' | undefined;
    pageToken?: string;
  }) =>
    queryOptions({
      queryKey: ['runsList', request],
      queryFn: () =>
        client.runsList({
          limit: runsListLimitMax,
          page_token: request.pageToken ?? '',
          active_only: request.show === 'active',
          completed_only: request.show === 'completed',
          ...(request.jobId === undefined ? {} : { job_id: request.jobId }),
        }),
      refetchInterval: listRefreshMs,
    }),
  recentRuns: (jobId: number, limit: number) =>
    queryOptions({
      queryKey: ['runsList', { jobId, limit }],
      queryFn: () => client.runsList({ job_id: jobId, limit }),
      refetchInterval: recentRunsRefreshMs,
    }),
  run: (runId: number) =>
    queryOptions({
      queryKey: ['runsGet', { runId }],
      queryFn: () => wholeRun(runId),
      staleTime: Number.POSITIVE_INFINITY,
    }),
  output: (taskRunId: number, options: { refresh: boolean }) =>
    queryOptions({
      queryKey: ['runsGetOutput', { taskRunId }],
      queryFn: () => client.runsGetOutput({ run_id: taskRunId }),
      refetchInterval: options.refresh ? 2_000 : false,
    }),
  notebook: (runId: number, taskRunId: number, options: { refresh: boolean }) =>
    queryOptions({
      queryKey: ['taskNotebook', { taskRunId }],
      queryFn: () => client.taskNotebook({ run_id: runId, task_run_id: taskRunId }),
      refetchInterval: options.refresh ? 1_500 : false,
    }),
};

/** A run has at most 1,000 tasks, which come 100 a page: the pages of one run are bounded. */
async function wholeRun(runId: number): Promise<RunDocument> {
  const run = await client.runsGet({ run_id: runId });
  const tasks = [...(run.tasks ?? [])];
  for (let token = run.next_page_token; token; ) {
    const page = await client.runsGet({ run_id: runId, page_token: token });
    tasks.push(...(page.tasks ?? []));
    token = page.next_page_token;
  }
  return { ...run, tasks };
}
