/** Clients that start, cancel and repair runs the whole time; what they do is drawn from the seed, when is not. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '@headrace/api';
import type { Random } from '../../packages/core/src/simulation/random.ts';
import type { Violation } from './checks.ts';
import type { PatientClient } from './client.ts';
import { draftChildJob, draftJobs, draftRun, type TaskMaker } from './jobs.ts';

export interface Workload {
  readonly tokens: ReadonlyMap<string, ReadonlySet<number>>;
  readonly repairs: ReadonlyMap<number, number>;
  readonly violations: readonly Violation[];
  /** Starts nothing new; resolves when all that was begun is done. */
  stop(): Promise<void>;
}

/** One thing that a client does. */
interface Deed {
  readonly token: string;
  readonly waitMs: number;
  /** Null: a run of its own. */
  readonly job: number | null;
  /** Twice at once, as an impatient client does. */
  readonly isDoubled: boolean;
  readonly cancelAfterMs: number | null;
  readonly isRepaired: boolean;
}

/** Half of what the slots could do in peace: in trouble work piles up. */
const pauseMs = { least: 600, most: 2_600 };
const lookMs = 1_000;
/** A client that waits for its run's end to repair it does not wait longer. */
const looksMax = 60;

/** In peace: making a job cannot be repeated. */
export async function makeJobs(client: PatientClient, maker: TaskMaker): Promise<number[]> {
  const create = async (draft: object) =>
    (await client.ask((api) => api.jobsCreate({ max_concurrent_runs: 20, ...draft }))).job_id ?? 0;
  const child = await create(draftChildJob(maker));
  const jobs: number[] = [];
  for (const draft of draftJobs(maker, child)) jobs.push(await create(draft));
  return jobs;
}

export function startWorkload(client: PatientClient, jobs: readonly number[], maker: TaskMaker): Workload {
  const leave = new AbortController();
  const tokens = new Map<string, Set<number>>();
  const repairs = new Map<number, number>();
  const violations: Violation[] = [];
  const underWay = new Set<Promise<void>>();

  async function perform(deed: Deed): Promise<void> {
    const runId = await start(deed);
    if (deed.cancelAfterMs !== null) {
      await delay(deed.cancelAfterMs);
      await client.ask((api, options) => api.runsCancel({ run_id: runId }, options));
    }
    if (deed.isRepaired) await repair(runId);
  }

  async function start(deed: Deed): Promise<number> {
    const { token: idempotency_token, job } = deed;
    const answered = new Set<number>();
    tokens.set(idempotency_token, answered);
    const job_id = job === null ? 0 : (jobs[job] ?? 0);
    const drawn = job === null ? draftRun(maker) : null;
    const ask = async () => {
      const { run_id } = await client.ask((api, options) =>
        drawn === null
          ? api.jobsRunNow({ job_id, idempotency_token }, options)
          : api.runsSubmit({ ...drawn, tasks: [...drawn.tasks], idempotency_token }, options),
      );
      answered.add(run_id ?? 0);
      return run_id ?? 0;
    };
    const [first] = await Promise.all(deed.isDoubled ? [ask(), ask()] : [ask()]);
    return first ?? 0;
  }

  /** Once it has ended badly. A repair has no token: whoever asks again looks first. */
  async function repair(run_id: number): Promise<void> {
    for (let looks = 0; looks < looksMax && !leave.signal.aborted; looks += 1) {
      const { status } = await client.ask((api, options) => api.runsGet({ run_id }, options));
      if (status.state !== 'TERMINATED') {
        await delay(lookMs);
        continue;
      }
      await client.ask(async (api, options) => {
        const { repair_history } = await api.runsGet({ run_id, include_history: true }, options);
        if (repair_history?.some(({ type }) => type === 'REPAIR')) return;
        repairs.set(run_id, 1);
        await api
          .runsRepair({ run_id, rerun_all_failed_tasks: true, rerun_dependent_tasks: true }, options)
          .catch(ignoreNothingToRepair);
      });
      return;
    }
  }

  const going = keepGoing(leave.signal, maker.random, jobs.length, (deed) => {
    const done = perform(deed)
      .catch((error: unknown) => {
        const message = `${deed.token}: ${error instanceof Error ? error.message : String(error)}`;
        violations.push({ check: 'answers', runId: null, atS: null, message });
      })
      .finally(() => underWay.delete(done));
    underWay.add(done);
  });
  return {
    ...{ tokens, repairs, violations },
    async stop() {
      leave.abort();
      await going;
      await Promise.all(underWay);
    },
  };
}

async function keepGoing(
  signal: AbortSignal,
  random: Random,
  jobCount: number,
  act: (deed: Deed) => void,
): Promise<void> {
  for (let number = 1; !signal.aborted; number += 1) {
    const deed = drawDeed(random, number, jobCount);
    await delay(deed.waitMs, undefined, { signal }).catch(() => {});
    if (!signal.aborted) act(deed);
  }
}

function drawDeed(random: Random, number: number, jobCount: number): Deed {
  return {
    token: `deed-${number}`,
    waitMs: random.between(pauseMs.least, pauseMs.most),
    job: random.chance(0.25) ? null : random.below(jobCount),
    isDoubled: random.chance(0.3),
    cancelAfterMs: random.chance(0.15) ? random.between(0, 6_000) : null,
    isRepaired: random.chance(0.3),
  };
}

/** It went well, or somebody repaired it: by the call whose answer was lost. */
function ignoreNothingToRepair(error: unknown): void {
  const isRefusal =
    error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
  if (!isRefusal) throw error;
}
