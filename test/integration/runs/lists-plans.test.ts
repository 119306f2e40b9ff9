/** Each list of runs is answered from an index, however many runs have ended, and so are the parts of a document. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NamedQuery, Querier } from '../../../packages/server/src/db/connect.ts';
import { countQueuedRunsBefore, readDecision } from '../../../packages/server/src/runs/explain-store.ts';
import { listRunViews, type RunsFilter } from '../../../packages/server/src/runs/list-store.ts';
import { readTaskRuns } from '../../../packages/server/src/runs/store.ts';
import {
  countIterations,
  readIterationHistory,
  readLatestIterations,
} from '../../../packages/server/src/runs/view-store.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await fill(db);
});
afterAll(() => db.drop());

const runs = 40_000;
/** The newest ones: they stand before all that have ended. */
const queued = 5_000;
const iterations = 5_000;
const [runId, outerId] = [1_000, 900_000];

async function fill({ pool }: TestDatabase): Promise<void> {
  await pool.query(`
    insert into runs (run_id, job_id, version, run_type, run_name, trigger, owner_id, creator_user_name, number_in_job,
      created_at_ms, generation, phase)
    select 1000 + r, case when r % 10000 <> 0 then 1 + r % 200 end, 1,
      case when r % 10000 = 0 then 'SUBMIT_RUN' else 'JOB_RUN' end, 'r', 'ONE_TIME', 1, 'ada', r, r, 0,
      case when r > ${runs - queued} then 'queued' else 'ended' end
    from generate_series(0, ${runs}) r`);
  await pool.query(`insert into run_generations (run_id, generation, created_at_ms, definition, settings, parameters)
    select run_id, 0, 0, '{}', '{"name": "r"}', '{"job": [], "overriding": {}}' from runs`);
  await pool.query(`
    insert into task_runs (run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms)
    select 1000 + r, 't', 0, 0, 0, 1000000 + r, 1, 'ended', r from generate_series(1, ${runs}) r`);
  await pool.query(`
    insert into task_runs (run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms,
      parent_attempt_id, result, failure, inputs)
    select ${runId}, 'loop', 0, 0, 0, ${outerId}, 1, 'running_parts', 0, null, null, null::jsonb, '[]'::jsonb
    union all
    select ${runId}, 'one', i, 0, 0, 2000000 + i, 1, 'ended', i, ${outerId},
      case when i % 100 = 0 then 'failed' else 'succeeded' end, '{"message": "no"}', null
    from generate_series(0, ${iterations - 1}) i`);
  await pool.query(`insert into run_events (run_id, at_ms, attempt_id, kind)
    select run_id, 1, run_id, 'attempt_ended' from runs`);
  await pool.query('analyze');
}

/** Rows that the plan's nodes read in all, those that a filter dropped included. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

function readRows(node: PlanNode): number {
  const own = node['Relation Name']
    ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
    : 0;
  return (node.Plans ?? []).reduce((total, child) => total + readRows(child), own);
}

async function explain(text: string, values: readonly unknown[]): Promise<PlanNode> {
  const { rows } = await db.pool.query(`explain (analyze, format json) ${text}`, [...values]);
  return rows[0]?.['QUERY PLAN'][0].Plan;
}

async function planOf(call: (db: Querier) => unknown): Promise<PlanNode> {
  let caught: NamedQuery | null = null;
  await call({
    async query(query: NamedQuery) {
      caught = query;
      return [];
    },
  } as Querier);
  if (caught === null) throw new Error('no query was made');
  const { text, values } = caught as NamedQuery;
  return explain(text, values);
}

const everything: RunsFilter = {
  ...{ jobId: null, phase: null, runType: null, createdFromMs: null, createdToMs: null },
  ...{ beside: null, offset: 0, limit: 25, withSettings: false },
};

async function planOfList(filter: Partial<RunsFilter>): Promise<PlanNode> {
  let caught: { sql: string; parameters: readonly unknown[] } | null = null;
  const kysely = db.kysely.withPlugin({
    transformQuery: ({ node }) => {
      caught ??= db.kysely.getExecutor().compileQuery(node, { queryId: 'plan' } as never) as never;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  await listRunViews({ ...db, kysely }, { ...everything, ...filter });
  if (caught === null) throw new Error('no query was made');
  const { sql, parameters } = caught as { sql: string; parameters: readonly unknown[] };
  return explain(sql, parameters);
}

const middle = { createdAtMs: 20_000, id: 21_000 };

test.each<[string, Partial<RunsFilter>]>([
  ['the newest runs', {}],
  ['the newest runs with their settings', { withSettings: true }],
  ['runs of a job', { jobId: 7 }],
  ['active runs', { phase: 'active' }],
  ['runs that have ended, behind thousands that have not', { phase: 'completed' }],
  ['runs of a job that have ended', { phase: 'completed', jobId: 7 }],
  ['runs of a rare kind', { runType: 'SUBMIT_RUN' }],
  ['runs of a time long ago', { createdFromMs: 5_000, createdToMs: 6_000 }],
  ['runs of a job of a time long ago', { jobId: 7, createdFromMs: 5_000, createdToMs: 9_000 }],
  ['a page further down', { beside: { ...middle, direction: 'older' } }],
  ['a page back', { beside: { ...middle, direction: 'newer' } }],
  ['a page of ended runs further down', { phase: 'completed', beside: { ...middle, direction: 'older' } }],
])('%s', async (_, filter) => {
  const plan = await planOfList(filter);

  // The page and its generations, and for a job those that are still queued.
  expect(readRows(plan)).toBeLessThan(200);
});

const page = {
  runId,
  attemptId: outerId,
  nestedKey: 'one',
  generation: 0,
  inputsCount: iterations,
  limit: 101,
};
const from = { iteration: 4_000, generation: 0, attempt: 0 };

test.each<[string, number, (db: Querier) => unknown]>([
  ['the tasks of a run with thousands of iterations', 10, (q) => readTaskRuns(q, [runId])],
  ['a page of iterations', 250, (q) => readLatestIterations(q, { ...page, from })],
  [
    'the first page of iterations',
    250,
    (q) => readLatestIterations(q, { ...page, from: { ...from, iteration: 0 } }),
  ],
  ['a page of all attempts of iterations', 250, (q) => readIterationHistory(q, { ...page, from })],
  [
    'the counts of a for-each: its iterations once, and those that failed',
    iterations * 2 + 500,
    (q) => countIterations(q, [outerId]),
  ],
  ['a decision', 10, (q) => readDecision(q, { run_id: 2_000, attempt_id: 2_000 })],
  [
    'a place in the queue',
    queued / 200 + 10,
    (q) => countQueuedRunsBefore(q, { job_id: 7, created_at_ms: runs, run_id: runs }),
  ],
])('%s', async (_, rowsMax, call) => {
  const plan = await planOf(call);

  expect(readRows(plan)).toBeLessThan(rowsMax);
});
