/** What pages ask for. Polling is for lists; a single run is followed by its events. */
import { type RunDocument, type RunTaskDocument, runsListLimitMax } from '@headrace/api';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { client, probe } from './client.ts';
import { withoutIterations } from './merge-run-event.ts';

const listRefreshMs = 5_000;
/** One request for each job of the page: not as often as the list itself. */
const recentRunsRefreshMs = 15_000;
const readyRefreshMs = 4_000;
/** While it is away: people wait for it. */
const awayRefreshMs = 2_000;

export const queries = {
  me: () =>
    queryOptions({ queryKey: ['currentUserMe'], queryFn: () => client.currentUserMe({}), staleTime: 60_000 }),
  /** Whether the server can work: its process, its database, its loops. */
  ready: () =>
    queryOptions({
      queryKey: ['readyz'],
      queryFn: () => probe.readyz({}),
      staleTime: 0,
      retry: false,
      refetchInterval: ({ state }) => (state.status === 'error' ? awayRefreshMs : readyRefreshMs),
    }),
  workers: (options: { enabled: boolean }) =>
    queryOptions({
      queryKey: ['status'],
      queryFn: () => client.status({}),
      enabled: options.enabled,
      refetchInterval: listRefreshMs,
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
  /** One task run, in the form of a run; without its iterations, if it has any. */
  taskRun: (taskRunId: number) =>
    queryOptions({
      queryKey: ['runsGet', { taskRunId }],
      queryFn: () => client.runsGet({ run_id: taskRunId }),
    }),
  /** One page, or with `all` every iteration there is. */
  iterations: (taskRunId: number, options: { page: string | 'all'; refresh: boolean }) =>
    queryOptions({
      queryKey: ['runsGet', { taskRunId, page: options.page }],
      queryFn: () =>
        options.page === 'all' ? wholeForEach(taskRunId) : readIterations(taskRunId, options.page),
      refetchInterval: options.refresh ? (options.page === 'all' ? 10_000 : 2_000) : false,
      placeholderData: keepPreviousData,
    }),
  /** Every attempt of one iteration, oldest first. */
  iterationAttempts: (taskRunId: number, iteration: number) =>
    queryOptions({
      queryKey: ['runsGet', { taskRunId, iteration }],
      queryFn: () => readAttempts(taskRunId, iteration),
    }),
  why: (request: { runId: number; taskKey?: string | undefined; state: string }) =>
    queryOptions({
      // Another state has another reason.
      queryKey: ['runsWhy', request],
      queryFn: () =>
        client.runsWhy({
          run_id: request.runId,
          ...(request.taskKey === undefined ? {} : { task_key: request.taskKey }),
        }),
    }),
  repairPreview: (request: RepairRequest) =>
    queryOptions({
      queryKey: ['runsRepairPreview', request],
      queryFn: () => client.runsRepairPreview(request),
      placeholderData: keepPreviousData,
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

export type RepairRequest = Parameters<typeof client.runsRepair>[0];

/** A run has at most 1,000 tasks, which come 100 a page: the pages of one run are bounded. */
async function wholeRun(runId: number): Promise<RunDocument> {
  const run = await client.runsGet({ run_id: runId, include_history: true });
  const tasks = [...(run.tasks ?? [])];
  const history = [...(run.repair_history ?? [])];
  for (let token = run.next_page_token; token; ) {
    const page = await client.runsGet({ run_id: runId, page_token: token, include_history: true });
    tasks.push(...(page.tasks ?? []));
    history.push(...(page.repair_history ?? []));
    token = page.next_page_token;
  }
  return { ...run, tasks: withoutIterations(tasks), repair_history: history };
}

export interface IterationsPage {
  readonly iterations: readonly RunTaskDocument[];
  readonly next: string | undefined;
}

async function readIterations(taskRunId: number, token: string): Promise<IterationsPage> {
  const page = await client.runsGet({ run_id: taskRunId, page_token: token });
  return { iterations: page.iterations ?? [], next: page.next_page_token || undefined };
}

/** Iterations come in the order of the inputs: the pages behind the one wanted need not be read. */
async function readAttempts(taskRunId: number, iteration: number): Promise<RunTaskDocument[]> {
  const attempts: RunTaskDocument[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const page = await client.runsGet({ run_id: taskRunId, page_token: token, include_history: true });
    const places = (page.iterations ?? []).map((each) => each.headrace?.iteration ?? 0);
    attempts.push(...(page.iterations ?? []).filter((each) => each.headrace?.iteration === iteration));
    token = Math.max(...places) > iteration ? undefined : page.next_page_token || undefined;
  }
  return attempts.sort((a, b) => a.run_id - b.run_id);
}

/** A for-each has at most 5,000 inputs: fifty pages. */
async function wholeForEach(taskRunId: number): Promise<IterationsPage> {
  const iterations: RunTaskDocument[] = [];
  for (let token: string | undefined = ''; token !== undefined; ) {
    const page: IterationsPage = await readIterations(taskRunId, token);
    iterations.push(...page.iterations);
    token = page.next;
  }
  return { iterations, next: undefined };
}
