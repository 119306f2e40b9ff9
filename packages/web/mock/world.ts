/** Everything the fake knows, in memory: jobs, runs, and who watches which run. */
import type {
  JobDocument,
  NotebookDocument,
  RepairHistoryItem,
  RunDocument,
  RunTaskDocument,
} from '@headrace/api';

export interface TaskLog {
  bytes: Buffer;
  readonly isTruncated: boolean;
}

export interface MockRun {
  document: RunDocument;
  readonly tasks: RunTaskDocument[];
  /** By task run id, as are the notebooks and the errors. */
  readonly logs: Map<number, TaskLog>;
  readonly notebooks: Map<number, NotebookDocument>;
  readonly errors: Map<number, { readonly error: string; readonly trace: string }>;
  /** By the task run id of the for-each, in the order of its inputs. */
  readonly iterations: Map<number, RunTaskDocument[]>;
  /** Empty until the first repair. */
  readonly history: RepairHistoryItem[];
  /** Grows with each change. */
  version: number;
  readonly watchers: Set<() => void>;
}

export interface World {
  readonly jobs: Map<number, JobDocument>;
  /** Newest last. */
  readonly runs: Map<number, MockRun>;
  readonly nowMs: () => number;
  nextId: number;
  /** Why the server is not ready; null while it is. */
  notReady: string | null;
  /** Whether the worker of all tasks is not heard of. */
  isWorkerSilent: boolean;
}

export const mockWorker = { worker_id: 'ash', hostname: 'rack-4', is_local: false };

export const owner = 'ada@example.org';

export function newId(world: World): number {
  world.nextId += 1;
  return world.nextId;
}

/** Tells those who watch the run. */
export function touch(run: MockRun): void {
  run.version += 1;
  for (const notify of run.watchers) notify();
}

export function aMockRun(document: RunDocument, tasks: readonly RunTaskDocument[]): MockRun {
  return {
    document,
    tasks: [...tasks],
    logs: new Map(),
    notebooks: new Map(),
    errors: new Map(),
    iterations: new Map(),
    history: [],
    version: 1,
    watchers: new Set(),
  };
}

export function setLog(run: MockRun, taskRunId: number, text: string, isTruncated = false): void {
  run.logs.set(taskRunId, { bytes: Buffer.from(text), isTruncated });
}

export function appendLog(run: MockRun, taskRunId: number, text: string): void {
  const before = run.logs.get(taskRunId)?.bytes ?? Buffer.alloc(0);
  run.logs.set(taskRunId, { bytes: Buffer.concat([before, Buffer.from(text)]), isTruncated: false });
}

/** The latest attempt of each task, in the order of the job. */
export function latestTasks(run: MockRun): RunTaskDocument[] {
  return [...new Map(run.tasks.map((task) => [task.task_key, task])).values()];
}

export function documentOf(run: MockRun, options: { readonly hasHistory?: boolean } = {}): RunDocument {
  const history = options.hasHistory ? { repair_history: historyOf(run) } : {};
  return { ...run.document, ...history, tasks: [...run.tasks] };
}

/** Of a run without a repair: its original execution alone. */
export function historyOf(run: MockRun): RepairHistoryItem[] {
  if (run.history.length > 0) return [...run.history];
  const { start_time, end_time, state, status } = run.document;
  const task_run_ids = run.tasks.map((task) => task.run_id);
  return [{ type: 'ORIGINAL', start_time, end_time, state, status, task_run_ids }];
}
