/** What the tests of control flow ask of an engine: a job that runs, its results, its iterations. */
import type { RunDocument } from '@headrace/api';
import type { TestEngine } from './engine.ts';

export type Json = Record<string, unknown>;

export async function startJob(
  engine: TestEngine,
  settings: object,
  request: Json = {},
): Promise<{ jobId: number; runId: number }> {
  const { job_id } = await engine.client.jobsCreate({ name: 'job', ...settings });
  const { run_id } = await engine.client.jobsRunNow({ job_id, ...request });
  return { jobId: job_id, runId: run_id };
}

/** The document of the run once it has ended. */
export async function runJob(engine: TestEngine, settings: object, request: Json = {}): Promise<RunDocument> {
  const { runId } = await startJob(engine, settings, request);
  return engine.waitForEnd(runId);
}

/** Of the latest attempt of each task: the result, or the state of one that has not ended. */
export function resultsOf(run: RunDocument): Record<string, string | undefined> {
  return Object.fromEntries(
    (run.tasks ?? []).map(({ task_key, state }) => [task_key, state.result_state ?? state.life_cycle_state]),
  );
}

export function taskOf(run: RunDocument, key: string) {
  const found = run.tasks?.findLast(({ task_key }) => task_key === key);
  if (!found) throw new Error(`run ${run.run_id} has no task ${key}`);
  return found;
}

export async function waitForTask(engine: TestEngine, runId: number, key: string, state: string) {
  return engine.waitFor(`${key} of run ${runId} to be ${state}`, async () => {
    const run = await engine.client.runsGet({ run_id: runId });
    const found = run.tasks?.findLast(({ task_key }) => task_key === key);
    return found && (found.state.result_state ?? found.state.life_cycle_state) === state && found;
  });
}

export interface StoredAttempt {
  readonly attempt_id: number;
  readonly iteration: number;
  readonly generation: number;
  readonly attempt: number;
  readonly state: string;
  readonly result: string | null;
  readonly started_at_ms: number | null;
  readonly ended_at_ms: number | null;
  readonly input: unknown;
  readonly child_run_id: number | null;
}

/** As they are stored, every attempt, in the order in which they were made. */
export async function attemptsOf(engine: TestEngine, runId: number, key: string): Promise<StoredAttempt[]> {
  const { rows } = await engine.db.pool.query<StoredAttempt>(
    `select attempt_id, iteration, generation, attempt, state, result, started_at_ms, ended_at_ms, input, child_run_id
     from task_runs
     where run_id = $1 and task_key = $2
     order by generation, iteration, attempt`,
    [runId, key],
  );
  return rows;
}

/** Runs that tasks of this run have started. */
export async function childrenOf(engine: TestEngine, runId: number) {
  const { rows } = await engine.db.pool.query<{ run_id: number; phase: string; result: string | null }>(
    'select run_id, phase, result from runs where parent_run_id = $1 order by run_id',
    [runId],
  );
  return rows;
}
