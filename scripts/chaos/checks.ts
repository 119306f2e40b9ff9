/**
 * What must hold when all has ended, whatever was done to whom: told from what the tasks wrote, what the store holds
 * and what clients were answered. Each check is pure, so that a test can show that it sees what it is there for.
 */
import { type DiaryLine, type Life, toLives } from './diary.ts';

export interface Violation {
  readonly check: string;
  readonly runId: number | null;
  /** CLOCK_MONOTONIC, where it is known. */
  readonly atS: number | null;
  readonly message: string;
}

/** One row of task_runs. */
export interface AttemptRow {
  readonly run_id: number;
  readonly task_key: string;
  /** -1 for a task of the job itself. */
  readonly iteration: number;
  readonly generation: number;
  readonly attempt: number;
  readonly attempt_id: number;
  readonly state: string;
  readonly result: string | null;
  readonly worker_id: string | null;
  readonly started_at_ms: number | null;
}

export interface RunRow {
  readonly run_id: number;
  readonly phase: string;
  readonly idempotency_token: string | null;
  readonly parent_attempt_id: number | null;
  readonly generation: number;
}

/** All that the definition of a generation says of a task. */
export interface PolicyRow {
  readonly run_id: number;
  readonly generation: number;
  readonly task_key: string;
  readonly retriesMax: number;
  readonly onTimeout: boolean;
  /** A worker executes it: its attempts write into the diary. */
  readonly isWork: boolean;
}

/** A worker whose processes were all frozen at once: both who end its tasks in time. */
export interface MachineFreeze {
  readonly worker: string;
  readonly fromS: number;
  readonly toS: number;
}

export interface Evidence {
  readonly diary: readonly DiaryLine[];
  readonly attempts: readonly AttemptRow[];
  readonly runs: readonly RunRow[];
  readonly policies: readonly PolicyRow[];
  readonly freezes: readonly MachineFreeze[];
  /** What each token was answered. */
  readonly tokens: ReadonlyMap<string, ReadonlySet<number>>;
  /** Repairs that were sent, answered or not. */
  readonly repairs: ReadonlyMap<number, number>;
}

type Check = (evidence: Evidence) => Violation[];

export const checks: Readonly<Record<string, Check>> = {
  ended: findUnended,
  'one start': findDoubledStarts,
  'one at a time': findOverlaps,
  'attempts by policy': findExcessAttempts,
  'retries by policy': findUnfoundedRetries,
  'successes ended': findHollowSuccesses,
  'attempts known': findUnknownAttempts,
  'one run per token': findDoubledTokens,
};

export function findViolations(evidence: Evidence): Violation[] {
  return Object.values(checks).flatMap((check) => check(evidence));
}

function findUnended({ runs, attempts }: Evidence): Violation[] {
  const [check, atS] = ['ended', null];
  return [
    ...runs
      .filter(({ phase }) => phase !== 'ended')
      .map(({ run_id, phase }) => ({ check, runId: run_id, atS, message: `run ${run_id} is ${phase}` })),
    ...attempts
      .filter(({ state }) => state !== 'ended')
      .map((row) => ({
        ...{ check, runId: row.run_id, atS },
        message: `attempt ${describe(row)} is ${row.state}`,
      })),
  ];
}

function findDoubledStarts({ diary, attempts }: Evidence): Violation[] {
  const known = new Map(attempts.map((row) => [row.attempt_id, row]));
  return toLives(diary)
    .filter(({ starts }) => starts.length !== 1)
    .map(({ attemptId, name, starts }) => ({
      check: 'one start',
      runId: known.get(attemptId)?.run_id ?? null,
      atS: starts[1] ?? null,
      message: `attempt ${attemptId} (${name}) began ${starts.length} times, at ${starts.join(' and ')}`,
    }));
}

/** docs/guarantees.md, "Where the promise ends": what a machine does that was paused, until it hears of it. */
const afterFreezeS = 5;

function findOverlaps({ diary, attempts, freezes }: Evidence): Violation[] {
  const known = new Map(attempts.map((row) => [row.attempt_id, row]));
  const bySlot = Map.groupBy(toLives(diary), ({ attemptId, name }) => {
    const row = known.get(attemptId);
    return row ? `${row.run_id}/${row.task_key}/${row.iteration}` : name;
  });
  return [...bySlot].flatMap(([slot, lives]) => {
    const inOrder = lives.toSorted((one, other) => one.firstS - other.firstS);
    return inOrder.flatMap((later, index) =>
      inOrder
        .slice(0, index)
        .filter((earlier) => earlier.lastS > later.firstS)
        .filter((earlier) => !isExcused(earlier, known.get(earlier.attemptId)?.worker_id ?? null, freezes))
        .map((earlier) => ({
          check: 'one at a time',
          runId: known.get(later.attemptId)?.run_id ?? null,
          atS: later.firstS,
          message:
            `${slot}: attempt ${earlier.attemptId} (of ${known.get(earlier.attemptId)?.worker_id}) ran until ` +
            `${earlier.lastS}, attempt ${later.attemptId} (of ${known.get(later.attemptId)?.worker_id}) began at ${later.firstS}`,
        })),
    );
  });
}

function isExcused({ lastS }: Life, worker: string | null, freezes: readonly MachineFreeze[]): boolean {
  return freezes.some((freeze) => {
    return freeze.worker === worker && lastS >= freeze.fromS && lastS <= freeze.toS + afterFreezeS;
  });
}

function findExcessAttempts({ attempts, policies, runs, repairs }: Evidence): Violation[] {
  const policyOf = policyFinder(policies);
  const tries = Map.groupBy(attempts, (row) => `${slotOf(row)}/${row.generation}`);
  const excess = [...tries].flatMap(([slot, rows]) => {
    const first = rows[0] as AttemptRow; // A group has at least one.
    const retriesMax = policyOf(first)?.retriesMax ?? 0;
    if (rows.length <= retriesMax + 1) return [];
    const message = `${slot} has ${rows.length} attempts, its policy allows ${retriesMax} retries`;
    return [{ check: 'attempts by policy', runId: first.run_id, atS: null, message }];
  });
  const unasked = runs
    .filter(({ run_id, generation }) => generation > (repairs.get(run_id) ?? 0))
    .map(({ run_id, generation }) => ({
      ...{ check: 'attempts by policy', runId: run_id, atS: null },
      message: `run ${run_id} has ${generation} repairs, ${repairs.get(run_id) ?? 0} were asked for`,
    }));
  return [...excess, ...unasked];
}

/** Its own failure; or it was lost, which is none of its doing. */
const badEnds = ['failed', 'internal_error'];

function findUnfoundedRetries({ attempts, policies }: Evidence): Violation[] {
  const policyOf = policyFinder(policies);
  const byPlace = new Map(attempts.map((row) => [`${slotOf(row)}/${row.generation}/${row.attempt}`, row]));
  return attempts
    .filter(({ attempt }) => attempt > 0)
    .flatMap((row) => {
      const before = byPlace.get(`${slotOf(row)}/${row.generation}/${row.attempt - 1}`);
      const result = before?.result ?? 'unknown';
      const mayFollow =
        badEnds.includes(result) || (result === 'timed_out' && policyOf(row)?.onTimeout === true);
      if (mayFollow) return [];
      const message = `attempt ${describe(row)} is a retry of one that ended '${result}'`;
      return [{ check: 'retries by policy', runId: row.run_id, atS: null, message }];
    });
}

function findHollowSuccesses({ attempts, diary, policies }: Evidence): Violation[] {
  const policyOf = policyFinder(policies);
  const ended = new Set(diary.filter(({ word }) => word === 'end').map(({ attemptId }) => attemptId));
  return attempts
    .filter((row) => row.result === 'succeeded' && policyOf(row)?.isWork === true)
    .filter(({ attempt_id }) => !ended.has(attempt_id))
    .map((row) => ({
      ...{ check: 'successes ended', runId: row.run_id, atS: null },
      message: `attempt ${describe(row)} is recorded as a success and did not come to its end`,
    }));
}

function findUnknownAttempts({ attempts, diary }: Evidence): Violation[] {
  const known = new Map(attempts.map((row) => [row.attempt_id, row]));
  return toLives(diary).flatMap(({ attemptId, name, firstS }): Violation[] => {
    const row = known.get(attemptId);
    const told = `attempt ${attemptId} (${name})`;
    const [check, atS] = ['attempts known', firstS];
    if (row === undefined)
      return [{ check, runId: null, atS, message: `${told} began and is not in the store` }];
    if (name !== `${row.run_id}/${row.task_key}`)
      return [
        { check, runId: row.run_id, atS, message: `${told} is ${row.run_id}/${row.task_key} in the store` },
      ];
    if (row.started_at_ms === null)
      return [{ check, runId: row.run_id, atS, message: `${told} began; the store says that it never did` }];
    return [];
  });
}

function findDoubledTokens({ tokens, runs }: Evidence): Violation[] {
  const stored = Map.groupBy(runs, ({ idempotency_token }) => idempotency_token);
  const check = 'one run per token';
  const wrong = [...tokens].flatMap(([token, answered]) => {
    const made = (stored.get(token) ?? []).map(({ run_id }) => run_id);
    const isOne = made.length === 1 && [...answered].every((runId) => runId === made[0]);
    if (isOne) return [];
    const message = `token ${token} was answered with runs [${[...answered]}], the store has [${made}]`;
    return [{ check, runId: made[0] ?? null, atS: null, message }];
  });
  const parents = Map.groupBy(runs, ({ parent_attempt_id }) => parent_attempt_id);
  const unasked = runs
    .filter(({ idempotency_token, parent_attempt_id }) => {
      if (parent_attempt_id !== null) return (parents.get(parent_attempt_id) ?? []).length !== 1;
      return idempotency_token === null || !tokens.has(idempotency_token);
    })
    .map(({ run_id }) => ({
      ...{ check, runId: run_id, atS: null },
      message: `nobody asked for run ${run_id}`,
    }));
  return [...wrong, ...unasked];
}

function policyFinder(policies: readonly PolicyRow[]) {
  const byTask = new Map(policies.map((row) => [`${row.run_id}/${row.generation}/${row.task_key}`, row]));
  return (row: AttemptRow): PolicyRow | undefined =>
    byTask.get(`${row.run_id}/${row.generation}/${row.task_key}`);
}

const slotOf = ({ run_id, task_key, iteration }: AttemptRow) => `${run_id}/${task_key}/${iteration}`;

const describe = (row: AttemptRow) =>
  `${row.attempt_id} (${slotOf(row)}, generation ${row.generation}, attempt ${row.attempt})`;
