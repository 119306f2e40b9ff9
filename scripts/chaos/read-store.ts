/** What the store holds when all is over, as the checks want it. */

import { brokenInvariants, type RunDefinition, type TaskDefinition } from '@headrace/core';
import type { Database } from '../../packages/server/src/db/connect.ts';
import { HotRuns } from '../../packages/server/src/runs/hot-runs.ts';
import type { AttemptRow, PolicyRow, RunRow, Violation } from './checks.ts';

export interface StoredRuns {
  readonly runs: readonly RunRow[];
  readonly attempts: readonly AttemptRow[];
  readonly policies: readonly PolicyRow[];
  readonly waits: { readonly longestMs: number; readonly runId: number } | null;
}

export async function readStore({ pool }: Database): Promise<StoredRuns> {
  const runs = await pool.query<RunRow & { created_at_ms: number; started_at_ms: number | null }>(
    `select run_id, phase, idempotency_token, parent_attempt_id, generation, created_at_ms, started_at_ms from runs`,
  );
  const attempts = await pool.query<AttemptRow>(
    `select run_id, task_key, iteration, generation, attempt, attempt_id, state, result, worker_id, started_at_ms
     from task_runs`,
  );
  const definitions = await pool.query<{ run_id: number; generation: number; definition: RunDefinition }>(
    'select run_id, generation, definition from run_generations',
  );
  const waited = runs.rows
    .map((run) => ({
      runId: run.run_id,
      longestMs: (run.started_at_ms ?? run.created_at_ms) - run.created_at_ms,
    }))
    .sort((one, other) => other.longestMs - one.longestMs);
  return {
    runs: runs.rows,
    attempts: attempts.rows,
    policies: definitions.rows.flatMap(({ run_id, generation, definition }) =>
      definition.tasks.flatMap(withNested).map((task) => ({
        ...{ run_id, generation, task_key: task.key, isWork: task.work.kind === 'attempt' },
        ...{ retriesMax: task.retry.retriesMax, onTimeout: task.retry.onTimeout },
      })),
    ),
    waits: waited[0] ?? null,
  };
}

function withNested(task: TaskDefinition): TaskDefinition[] {
  return task.work.kind === 'for_each' ? [task, task.work.task] : [task];
}

/** Every rule of the engine, also for runs that have ended. */
export async function findBrokenRuns(database: Database, runs: readonly RunRow[]): Promise<Violation[]> {
  const loaded = await new HotRuns(database).load(runs.map(({ run_id }) => run_id));
  return loaded.flatMap(({ run }) =>
    brokenInvariants(run).map((broken) => ({
      ...{ check: 'invariants', runId: run.runId, atS: null },
      message: `run ${run.runId}: ${broken}`,
    })),
  );
}

export interface RunEventRow {
  readonly at_ms: number;
  readonly kind: string;
  readonly task_key: string | null;
  readonly attempt_id: number | null;
  readonly detail: unknown;
}

export async function readHistory({ pool }: Database, runId: number): Promise<RunEventRow[]> {
  const { rows } = await pool.query<RunEventRow>(
    'select at_ms, kind, task_key, attempt_id, detail from run_events where run_id = $1 order by run_event_id',
    [runId],
  );
  return rows;
}
