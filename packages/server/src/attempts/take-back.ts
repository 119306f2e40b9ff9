/** Live attempts of a worker, as it would have claimed them: when it comes back, or when an answer was lost. */
import { assert, findTaskRun } from '@headrace/core';
import type { ClaimedAttempt, ResumedAttempt } from '@headrace/worker';
import { type HotRun, HotRuns } from '../runs/hot-runs.ts';
import type { AttemptSourceOptions } from './attempt-source.ts';
import { buildClaim } from './build-claim.ts';
import { findHeldBy, type HeldRow } from './store.ts';

type TakeBackOptions = Pick<AttemptSourceOptions, 'db' | 'clock' | 'advancer' | 'claims'>;

/**
 * Live attempts of a worker that came back, each under a new epoch: told in one breath, so that one batch carries
 * them. Writes under the old epochs change nothing from then on.
 */
export async function takeBack(workerId: string, options: TakeBackOptions): Promise<ResumedAttempt[]> {
  const { db, advancer } = options;
  const rows = await findHeldBy(db, workerId);
  await Promise.all(
    rows.map(({ run_id, attempt_id, epoch }) => {
      const attemptId = attempt_id as ResumedAttempt['attemptId']; // The store keeps ids that were branded.
      const event = { kind: 'attempt_resumed', attemptId, epoch: epoch + 1, workerId } as const;
      return advancer.tell(run_id, [{ event }]);
    }),
  );
  return rebuildHeld(await findHeldBy(db, workerId), options);
}

/** Under the epochs that they have. */
export async function rebuildHeld(
  held: readonly HeldRow[],
  options: TakeBackOptions,
): Promise<ResumedAttempt[]> {
  const { db } = options;
  const runs = await new HotRuns(db).load([...new Set(held.map(({ run_id }) => run_id))]);
  const byId = new Map(runs.map((run) => [run.run.runId as number, run]));
  const resumed: ResumedAttempt[] = [];
  for (const row of held) {
    const loaded = byId.get(row.run_id);
    assert(loaded, `run ${row.run_id} of attempt ${row.attempt_id} cannot be loaded`);
    const attempt = await rebuild(row, loaded, options);
    if (attempt) resumed.push({ ...attempt, state: row.state, stopReason: row.stop_reason });
  }
  return resumed;
}

/** An attempt whose document cannot be made any more ends here: its process, if there is one, is gone for us. */
async function rebuild(
  row: HeldRow,
  { facts, run }: HotRun,
  { advancer, claims, clock }: TakeBackOptions,
): Promise<ClaimedAttempt | null> {
  const attemptId = row.attempt_id as ClaimedAttempt['attemptId']; // The store keeps ids that were branded.
  const taskRun = findTaskRun(run, attemptId);
  assert(taskRun, `run ${row.run_id} does not know its attempt ${row.attempt_id}`);
  const { epoch, claim_epoch: claimEpoch } = row;
  const built = await buildClaim({ facts, run, taskRun, epoch, claimEpoch }, claims, {
    nowMs: clock.nowMs(),
  });
  if ('attempt' in built) return built.attempt;
  const outcome = { kind: 'failed', failure: built } as const;
  const event = { kind: 'attempt_ended', attemptId, epoch, outcome, taskValues: {} } as const;
  await advancer.tell(row.run_id, [{ event }]);
  return null;
}
