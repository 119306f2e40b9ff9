/**
 * Between tasks whose work is another job's run, and those runs. Looks at what stands in the store and does what is
 * missing, so it may run at any time, and a crash between two of its steps loses nothing:
 *
 *   task ready, no run yet         ─► make the run (once: it names the attempt), tell the task
 *   task stopping or ended         ─► cancel its run
 *   run ended, task still under way ─► tell the task how
 */
import { type ChildOutcome, type Failure, type RunResult, toAttemptId, toRunId } from '@headrace/core';
import type { Loop } from '../loops/driver.ts';
import {
  type EndedChildRow,
  findEndedChildren,
  findOrphanedChildren,
  findReadyParents,
  type ReadyParentRow,
} from './child-run-store.ts';
import type { RunServices } from './create-run.ts';
import { settleAll } from './settle-all.ts';

/** A turn takes no more of each kind; the next one follows at once. */
const perTurnMax = 200;

export const childRunLoopName = 'child-runs';

/** Makes the run of the task's job, or finds the one that was made before; a Failure says why there can be none. */
export type StartChild = (parent: ReadyParentRow) => Promise<{ readonly runId: number } | Failure>;

/** What is nobody's decision, a store that is away above all, is tried again for as long before the task fails of it. */
const giveUpAfterMs = 60_000;

interface ChildServices extends Pick<RunServices, 'db' | 'advancer' | 'log' | 'clock'> {
  /** Since when runs could not be started, by the attempt of their task. */
  readonly failingSinceMs: Map<number, number>;
}

export function createChildRunLoop(
  options: Omit<ChildServices, 'failingSinceMs'>,
  startChild: StartChild,
): Loop {
  const { db } = options;
  const services: ChildServices = { ...options, failingSinceMs: new Map() };
  return {
    name: childRunLoopName,
    // Woken by each change here that concerns it; this is for what another server left behind.
    everyMs: 1_000,
    async turn() {
      const [ready, orphaned, ended] = await Promise.all([
        findReadyParents(db, perTurnMax),
        findOrphanedChildren(db, perTurnMax),
        findEndedChildren(db, perTurnMax),
      ]);
      const areAllMoved = await settleAll([
        ...ready.map((parent) => start(parent, services, startChild)),
        ...orphaned.map((child) => cancel(child, services)),
        ...ended.map((child) => tellEnded(child, services)),
      ]);
      const isFull = Math.max(ready.length, orphaned.length, ended.length) === perTurnMax;
      return isFull && areAllMoved ? 'again' : 'idle';
    },
  };
}

async function start(parent: ReadyParentRow, services: ChildServices, startChild: StartChild): Promise<void> {
  const { advancer, failingSinceMs } = services;
  const attemptId = toAttemptId(parent.attempt_id);
  const started = await startChild(parent).catch((error: unknown) => judge(error, parent, services));
  if (started === null) return;
  failingSinceMs.delete(attemptId);
  const event =
    'runId' in started
      ? ({ kind: 'child_started', attemptId, childRunId: toRunId(started.runId) } as const)
      : ({ kind: 'step_failed', attemptId, failure: started } as const);
  await advancer.tell(parent.run_id, [{ event }]);
}

/** Null: the task stays ready, and a later turn tries again. */
function judge(
  error: unknown,
  { run_id, attempt_id }: ReadyParentRow,
  { log, clock, failingSinceMs }: ChildServices,
): Failure | null {
  log.error({ err: error, run_id, attempt: attempt_id }, 'a run cannot be started by a task');
  const nowMs = clock.nowMs();
  const sinceMs = failingSinceMs.get(attempt_id) ?? nowMs;
  failingSinceMs.set(attempt_id, sinceMs);
  if (nowMs - sinceMs < giveUpAfterMs) return null;
  const message = 'The server could not start the run; its log says why.';
  return { code: 'INTERNAL_ERROR', message, trace: null };
}

async function cancel({ run_id }: { readonly run_id: number }, { advancer }: ChildServices): Promise<void> {
  await advancer.tell(run_id, [{ event: { kind: 'cancel_requested', reason: 'cancelled_by_system' } }]);
}

async function tellEnded(child: EndedChildRow, { advancer }: ChildServices): Promise<void> {
  const attemptId = toAttemptId(child.attempt_id);
  const childRunId = toRunId(child.child_run_id);
  const ended = { outcome: outcomeOf(child), endedAtMs: child.ended_at_ms };
  const event = { kind: 'child_ended', attemptId, childRunId, ...ended } as const;
  await advancer.tell(child.run_id, [{ event }]);
}

function outcomeOf({ child_run_id, result, cause }: EndedChildRow): ChildOutcome {
  switch (result) {
    case 'succeeded':
    case 'succeeded_with_failures':
      return { kind: 'succeeded' };
    case 'cancelled':
    case 'cancelled_by_system':
      return { kind: 'cancelled' };
    case 'failed':
    case 'timed_out':
    case 'skipped_no_place':
    case 'continued': {
      const said = cause ? ` Task ${cause.taskKey}: ${cause.failure.message}` : '';
      const message = `Run ${child_run_id} ${endedWords[result]}.${said}`;
      return { kind: 'failed', failure: { code: 'RUN_EXECUTION_ERROR', message, trace: null } };
    }
  }
}

const endedWords = {
  failed: 'failed',
  timed_out: 'timed out',
  skipped_no_place: 'was skipped: its job had no place for another run',
  continued: 'was repaired',
} satisfies Partial<Record<RunResult, string>>;
