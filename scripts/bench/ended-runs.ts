/** Ended runs, made by the store itself: the past of a server that has been in use for long. */
import type { RunningServer } from '../../packages/server/src/start-server.ts';

export const historyRuns = 1_000_000;
const jobs = 200;
const jobIdBase = 500_000_000;
const runIdBase = 10_000_000_000;
const attemptIdBase = 20_000_000_000;
/** What the server makes afterwards comes after all of it, as in life. */
const nextId = 30_000_000_000;
/** One run a second, since the beginning of time. */
const runEveryMs = 1_000;

export const historyJobs = {
  first: jobIdBase,
  /** Its runs are the oldest of all. */
  old: jobIdBase + jobs,
};
const oldRuns = 10;

/** With the generation and the one task run that each has, as the engine would have left them. */
export async function fillHistory({ services: { db, ids } }: RunningServer): Promise<void> {
  const client = await db.pool.connect();
  try {
    await client.query(`select setval('id_blocks', ${nextId})`);
    for (let id = 0; id < nextId; id = ids.newId()) await ids.reserve(1);
    await client.query('set synchronous_commit = off');
    await client.query(`
insert into jobs (
  job_id, name, settings, max_concurrent_runs, owner_id, creator_user_name, created_at_ms, updated_at_ms)
select ${jobIdBase} + j, 'past ' || j, '{}', 1, 1, 'bench', 0, 0
from generate_series(0, ${jobs}) j`);
    await client.query(`
insert into runs (
  run_id, job_id, version, run_type, run_name, trigger, owner_id, creator_user_name, number_in_job, created_at_ms,
  generation, phase, started_at_ms, ended_at_ms, result)
select
  ${runIdBase} + r, ${jobIdBase} + case when r <= ${oldRuns} then ${jobs} else r % ${jobs} end, 4, 'JOB_RUN',
  'past', 'PERIODIC', 1, 'bench', ${runIdBase} + r, r::bigint * ${runEveryMs}, 0, 'ended', r::bigint * ${runEveryMs},
  r::bigint * ${runEveryMs} + 500, case when r % 10 = 0 then 'failed' else 'succeeded' end
from generate_series(1, ${historyRuns}) r`);
    await client.query(`
insert into run_generations (run_id, generation, created_at_ms, definition, settings, parameters)
select
  ${runIdBase} + r, 0, r::bigint * ${runEveryMs}, '{"tasks": [], "timeoutMs": null}',
  '{"name": "past", "tasks": [{"task_key": "t", "spark_python_task": {"python_file": "/light.py"}}]}',
  '{"job": [], "overriding": {}}'
from generate_series(1, ${historyRuns}) r`);
    await client.query(`
insert into task_runs (
  run_id, task_key, iteration, generation, attempt, attempt_id, epoch, state, created_at_ms, queued_at_ms,
  claimed_at_ms, started_at_ms, ended_at_ms, worker_id, cluster_id, claim_epoch, result)
select
  ${runIdBase} + r, 't', -1, 0, 0, ${attemptIdBase} + r, 1, 'ended', r::bigint * ${runEveryMs},
  r::bigint * ${runEveryMs}, r::bigint * ${runEveryMs}, r::bigint * ${runEveryMs}, r::bigint * ${runEveryMs} + 500,
  'w', 'c', 1, 'succeeded'
from generate_series(1, ${historyRuns}) r`);
    // Now, not when autovacuum gets to it: that would be in the middle of what is measured.
    await client.query('vacuum (analyze)');
    await client.query('checkpoint');
  } finally {
    client.release(true);
  }
}
