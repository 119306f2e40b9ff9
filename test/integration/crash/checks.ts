/** What must hold when all has ended, read from the store, the ledger and the journals: a sentence for each breach. */
import fs from 'node:fs';
import path from 'node:path';
import { brokenInvariants } from '@headrace/core';
import { HotRuns } from '../../../packages/server/src/runs/hot-runs.ts';
import { readJournal } from '../../../packages/worker/src/hosts/local/journal.ts';
import { waitUntil } from '../../support/census.ts';
import type { TestDatabase } from '../../support/database.ts';
import type { Lane } from './lane.ts';
import { type JobIds, readLedger, type Workload } from './workload.ts';

/** How often user code must have begun: a crash of the server neither loses nor doubles a start. */
const startsWanted: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  all: { first: 1, second: 1, flaky: 2, yes: 1, item: 2 },
  child: { leaf: 1 },
  hanging: { hang: 1 },
  queued: {},
  repaired: { good: 1, bad: 2 },
};
const resultWanted: Readonly<Record<string, string>> = {
  all: 'succeeded',
  child: 'succeeded',
  hanging: 'cancelled',
  queued: 'cancelled',
  repaired: 'succeeded',
};
const attemptsMax: Readonly<Record<string, number>> = { flaky: 2 };

export async function findBreaches(lane: Lane, jobs: JobIds, workload: Workload): Promise<string[]> {
  const { database } = lane;
  return [
    ...(await findGeneralBreaches(lane, [...workload.runs.values()])),
    ...(await findWrongRuns(lane, workload)),
    ...(await findOverfull(database, [jobs.all, jobs.hanging])),
  ];
}

/** Whatever the runs did. */
export async function findGeneralBreaches(lane: Lane, runIds: readonly number[]): Promise<string[]> {
  const breaches = [
    ...(await findUnended(lane.database)),
    ...(await findBrokenRuns(lane.database, runIds)),
    ...findDoubledStarts(lane),
  ];
  await waitUntil('the journals are settled', () => findUnsettled(lane).length === 0, 5_000).catch(() =>
    breaches.push(`journals keep attempts: ${findUnsettled(lane).join(', ')}`),
  );
  return breaches;
}

async function findUnended({ pool }: TestDatabase): Promise<string[]> {
  const runs = await pool.query(`select run_id, phase from runs where phase <> 'ended'`);
  const attempts = await pool.query(
    `select attempt_id, task_key, state from task_runs where state <> 'ended'`,
  );
  return [
    ...runs.rows.map(({ run_id, phase }) => `run ${run_id} is ${phase}`),
    ...attempts.rows.map(
      ({ attempt_id, task_key, state }) => `attempt ${attempt_id} of ${task_key} is ${state}`,
    ),
  ];
}

async function findBrokenRuns(database: TestDatabase, runIds: readonly number[]): Promise<string[]> {
  const { rows } = await database.pool.query<{ run_id: number }>(
    'select run_id from runs where run_id = any($1) or parent_run_id = any($1)',
    [runIds],
  );
  const loaded = await new HotRuns(database).load(rows.map(({ run_id }) => run_id));
  return loaded.flatMap(({ run }) => brokenInvariants(run).map((broken) => `run ${run.runId}: ${broken}`));
}

/** One run for each token and for each task that starts one; with the starts and the result that it must have. */
async function findWrongRuns(lane: Lane, workload: Workload): Promise<string[]> {
  const breaches: string[] = [];
  const { pool } = lane.database;
  for (const [token, runId] of workload.runs) {
    const made = await pool.query('select run_id from runs where idempotency_token = $1', [token]);
    if (made.rows.length !== 1) breaches.push(`token ${token} has ${made.rows.length} runs`);
    const kind = token.split('-')[1] ?? '';
    breaches.push(...(await findWrongRun(lane, kind, runId)));
    const children = await pool.query('select run_id from runs where parent_run_id = $1', [runId]);
    const childrenWanted = kind === 'all' ? 1 : 0;
    if (children.rows.length !== childrenWanted)
      breaches.push(`run ${runId} (${kind}) has ${children.rows.length} child runs`);
    for (const { run_id } of children.rows) breaches.push(...(await findWrongRun(lane, 'child', run_id)));
  }
  return breaches;
}

async function findWrongRun(lane: Lane, kind: string, runId: number): Promise<string[]> {
  const breaches: string[] = [];
  const { pool } = lane.database;
  const run = await pool.query('select result from runs where run_id = $1', [runId]);
  const result = run.rows[0]?.result;
  if (result !== resultWanted[kind]) breaches.push(`run ${runId} (${kind}) ended ${result}`);
  const prefix = `${runId}/`;
  const starts: Record<string, number> = {};
  for (const { name } of readLedger(lane)) {
    const key = name.slice(prefix.length);
    if (name.startsWith(prefix)) starts[key] = (starts[key] ?? 0) + 1;
  }
  const wanted = startsWanted[kind] ?? {};
  for (const key of new Set([...Object.keys(starts), ...Object.keys(wanted)])) {
    if ((starts[key] ?? 0) !== (wanted[key] ?? 0))
      breaches.push(`${key} of run ${runId} (${kind}) was started ${starts[key] ?? 0} times`);
  }
  const attempts = await pool.query(
    `select task_key, count(*)::int as made from task_runs where run_id = $1 group by task_key, iteration, generation`,
    [runId],
  );
  for (const { task_key, made } of attempts.rows) {
    if (made > (attemptsMax[task_key] ?? 1))
      breaches.push(`${task_key} of run ${runId} (${kind}) has ${made} attempts`);
  }
  return breaches;
}

/** All of these jobs have one place. */
async function findOverfull({ pool }: TestDatabase, jobIds: readonly number[]): Promise<string[]> {
  const { rows } = await pool.query<{ job_id: number; run_id: number; kind: string }>(
    `select r.job_id, r.run_id, e.kind
     from run_events e
     join runs r on r.run_id = e.run_id
     where r.job_id = any($1) and e.kind in ('run_running', 'run_terminating', 'run_ended')
     order by e.run_event_id`,
    [jobIds],
  );
  const active = new Map<number, Set<number>>(jobIds.map((jobId) => [jobId, new Set()]));
  const breaches: string[] = [];
  for (const { job_id, run_id, kind } of rows) {
    const runs = active.get(job_id);
    if (kind === 'run_ended') runs?.delete(run_id);
    else runs?.add(run_id);
    if (runs && runs.size > 1) breaches.push(`runs ${[...runs].join(' and ')} had the one place of a job`);
  }
  return breaches;
}

function findDoubledStarts(lane: Lane): string[] {
  const seen = new Set<number>();
  return readLedger(lane).flatMap(({ attemptId, name }) => {
    if (seen.has(attemptId)) return [`attempt ${attemptId} of ${name} was started twice`];
    seen.add(attemptId);
    return [];
  });
}

/** With all that their journal says of them. */
function findUnsettled({ folder }: Lane): string[] {
  return ['server', 'worker'].flatMap((owner) => {
    const hosts = path.join(folder, owner, 'hosts');
    const keys = fs.existsSync(hosts) ? fs.readdirSync(hosts) : [];
    return keys.flatMap((key) => {
      const file = path.join(hosts, key, 'journal.jsonl');
      return readJournal(file).map(({ attempt_id }) => {
        const lines = fs.readFileSync(file, 'utf8').split('\n');
        const told = lines.filter((line) => line.includes(`"attempt_id":${attempt_id},`));
        return `${attempt_id} of the ${owner}'s host: ${told.join(' ')}`;
      });
    });
  });
}
