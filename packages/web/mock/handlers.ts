/** The fake's answers: what the UI uses, over the world; the rest refuses, or has little to show. */
import {
  ApiError,
  type Handlers,
  type NotebookDocument,
  type RunDocument,
  type RunEvent,
  type RunTaskDocument,
  type routes,
} from '@headrace/api';
import { startRun } from './flights-job.ts';
import { latestOf, sorted } from './for-each.ts';
import { repairHandlers } from './repair-handlers.ts';
import { restHandlers } from './rest-handlers.ts';
import { sentinels } from './sentinels.ts';
import { cancelled, hasEnded, stopping } from './states.ts';
import { documentOf, type MockRun, mockWorker, newId, touch, type World } from './world.ts';

export interface MockContext {
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

export type MockHandlers = Handlers<typeof routes, MockContext>;
type Slice<Name extends keyof MockHandlers> = Pick<MockHandlers, Name>;

export function createHandlers(world: World): MockHandlers {
  return {
    ...restHandlers,
    ...jobHandlers(world),
    ...runHandlers(world),
    ...taskHandlers(world),
    ...repairHandlers(world, {
      run: (runId) => findRun(world, runId),
      task: (taskRunId) => findTask(world, taskRunId),
    }),
    status: async () => ({
      version: '0.1.0',
      started_at_ms: world.nowMs() - 3_600_000,
      workers: [workerOf(world)],
      hosts: [],
      loops: [],
      runs: { queued: 0, running: 1 },
    }),
    readyz: async () => {
      if (world.notReady !== null) throw new ApiError('TEMPORARILY_UNAVAILABLE', world.notReady);
      return { status: 'ready' };
    },
  };
}

function workerOf({ isWorkerSilent }: World) {
  return {
    ...{ worker_id: mockWorker.worker_id, hostname: mockWorker.hostname, slots: 4, running: 1 },
    ...(isWorkerSilent
      ? { state: 'silent' as const, heard_ms_ago: 23_000, lease_left_ms: 37_000 }
      : { state: 'live' as const, heard_ms_ago: 1_000, lease_left_ms: 59_000 }),
  };
}

function jobHandlers(world: World): Slice<'jobsGet' | 'jobsList' | 'jobsRunNow' | 'jobsDelete'> {
  const find = (jobId: number) => {
    const job = world.jobs.get(jobId);
    if (!job) throw new ApiError('INVALID_PARAMETER_VALUE', `Job ${jobId} does not exist.`);
    return job;
  };
  return {
    jobsGet: async ({ job_id }) => find(job_id),
    jobsList: async ({ limit, page_token }) => {
      const page = pageOf([...world.jobs.values()].reverse(), { limit, token: page_token });
      return { jobs: page.rows, has_more: page.next !== undefined, ...next(page.next) };
    },
    jobsRunNow: async ({ job_id, job_parameters = {} }) => {
      find(job_id);
      if (job_id === sentinels.jobThatRefuses)
        throw new ApiError('REQUEST_LIMIT_EXCEEDED', 'Too many runs are queued; wait until some have ended.');
      const runId = newId(world);
      startRun(world, { runId, jobId: job_id, startedAtMs: world.nowMs(), values: job_parameters });
      return { run_id: runId };
    },
    jobsDelete: async ({ job_id }) => {
      world.jobs.delete(find(job_id).job_id);
      return {};
    },
  };
}

function runHandlers(world: World): Slice<'runsGet' | 'runsList' | 'runsCancel' | 'runEvents'> {
  return {
    runsGet: async ({ run_id, include_history, page_token }) => {
      const part = world.runs.has(run_id) ? undefined : searchTask(world, run_id);
      if (part) return taskRunPage(part, { token: page_token, hasHistory: include_history });
      return documentOf(findRun(world, run_id), { hasHistory: include_history });
    },
    runsList: async ({ job_id, active_only, completed_only, limit, page_token }) => {
      const wanted = [...world.runs.values()].reverse().filter(({ document }) => {
        if (job_id !== undefined && document.job_id !== job_id) return false;
        return hasEnded(document) ? !active_only : !completed_only;
      });
      const page = pageOf(wanted, { limit, token: page_token });
      const runs = page.rows.map((run): RunDocument => run.document);
      return { runs, has_more: page.next !== undefined, ...next(page.next) };
    },
    runsCancel: async ({ run_id }) => {
      const part = world.runs.has(run_id) ? undefined : searchTask(world, run_id);
      if (part) return cancelTask(part);
      const run = findRun(world, run_id);
      if (hasEnded(run.document)) return {};
      run.document = { ...run.document, ...stopping };
      touch(run);
      return {};
    },
    runEvents: async ({ run_id }, { signal }) => watch(world, findRun(world, run_id), signal),
  };
}

function taskHandlers(world: World): Slice<'runsGetOutput' | 'taskLog' | 'taskNotebook'> {
  return {
    runsGetOutput: async ({ run_id }) => {
      const { run, task } = findTask(world, run_id);
      const problem = run.errors.get(run_id);
      return {
        metadata: taskRunDocument({ run, task }),
        ...(task.run_job_task?.run_id && { run_job_output: { run_id: task.run_job_task.run_id } }),
        ...(problem && { error: problem.error, error_trace: problem.trace }),
      };
    },
    taskLog: async ({ task_run_id, offset, limit }) => {
      const { run, task } = findTask(world, task_run_id);
      if (task_run_id === sentinels.taskRunWithoutLog)
        throw new ApiError('TEMPORARILY_UNAVAILABLE', 'The folder of logs cannot be read at the moment.');
      const { bytes = Buffer.alloc(0), isTruncated = false } = run.logs.get(task_run_id) ?? {};
      const part = bytes.subarray(offset, offset + limit);
      return {
        log: part.toString(),
        offset,
        next_offset: Math.min(bytes.length, offset) + part.length,
        size: bytes.length,
        truncated: isTruncated,
        ended: hasEnded(task),
      };
    },
    taskNotebook: async ({ task_run_id }): Promise<NotebookDocument> => {
      const notebook = findTask(world, task_run_id).run.notebooks.get(task_run_id);
      if (notebook) return notebook;
      throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Task run ${task_run_id} has no notebook.`);
    },
  };
}

async function* watch(
  world: World,
  run: MockRun,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, void, undefined> {
  let hasNews = true;
  let wake: () => void = () => undefined;
  const notify = () => {
    hasNews = true;
    wake();
  };
  run.watchers.add(notify);
  signal.addEventListener('abort', notify);
  try {
    while (!signal.aborted) {
      if (!hasNews) await new Promise<void>((resolve) => (wake = resolve));
      if (signal.aborted) return;
      hasNews = false;
      const { run_id, state, status } = run.document;
      const ended = hasEnded(run.document);
      yield {
        version: run.version,
        run_id,
        at_ms: world.nowMs(),
        state,
        status,
        tasks: [...run.tasks],
        ended,
      };
      if (ended) return;
    }
  } finally {
    run.watchers.delete(notify);
  }
}

function findRun(world: World, runId: number): MockRun {
  if (runId === sentinels.runWithInternalError)
    throw new ApiError('INTERNAL_ERROR', 'Something broke on our side; the log of the server says what.');
  const run = world.runs.get(runId);
  if (!run) throw new ApiError('INVALID_PARAMETER_VALUE', `Run ${runId} does not exist.`);
  return run;
}

interface TaskPlace {
  readonly run: MockRun;
  readonly task: RunTaskDocument;
}

function findTask(world: World, taskRunId: number): TaskPlace {
  const found = searchTask(world, taskRunId);
  if (!found) throw new ApiError('INVALID_PARAMETER_VALUE', `Run ${taskRunId} does not exist.`);
  return found;
}

function searchTask(world: World, taskRunId: number): TaskPlace | undefined {
  for (const run of world.runs.values()) {
    const all = [...run.tasks, ...[...run.iterations.values()].flat()];
    const task = all.find((each) => each.run_id === taskRunId);
    if (task) return { run, task };
  }
  return undefined;
}

/** A task run in the form of a run. */
function taskRunDocument({ run, task }: TaskPlace): RunDocument {
  const iterations = run.iterations.get(task.run_id);
  return { ...run.document, ...task, run_name: task.task_key, ...(iterations && { iterations }) };
}

/** Its iterations come 100 a page, as the server sends them: those that a repair reused among them. */
function taskRunPage(
  { run, task }: TaskPlace,
  { token, hasHistory }: { readonly token: string; readonly hasHistory: boolean },
): RunDocument {
  const document = taskRunDocument({ run, task });
  if (!document.iterations) return document;
  const all = run.tasks
    .filter((each) => each.task_key === task.task_key && each.run_id <= task.run_id)
    .flatMap((each) => run.iterations.get(each.run_id) ?? []);
  const page = pageOf(hasHistory ? sorted(all) : sorted(latestOf(all)), { limit: 100, token });
  return { ...document, iterations: page.rows, ...next(page.next) };
}

function cancelTask({ run, task }: TaskPlace): Record<string, never> {
  if (hasEnded(task)) return {};
  const at = run.tasks.indexOf(task);
  if (at >= 0) run.tasks[at] = { ...task, ...stopping };
  for (const iterations of run.iterations.values()) {
    const place = iterations.indexOf(task);
    if (place >= 0) iterations[place] = { ...task, ...cancelled };
  }
  touch(run);
  return {};
}

/** The token is the number of rows before the page. */
function pageOf<Row>(rows: readonly Row[], { limit, token }: { limit: number; token: string }) {
  const start = Number(token || 0);
  const size = limit || 24;
  const end = start + size;
  return { rows: rows.slice(start, end), next: end < rows.length ? String(end) : undefined };
}

function next(token: string | undefined) {
  return token === undefined ? {} : { next_page_token: token };
}
