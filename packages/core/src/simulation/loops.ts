/** What a server does without being asked: each loop looks at the store, does what is missing, and may run at any time. */

import { findDefinition, graphOf } from '../graph/graph.ts';
import { toRunId } from '../ids.ts';
import type { ChildOutcome } from '../run/events.ts';
import type { Failure, Run, TaskRun } from '../run/state.ts';
import { type Program, Ticket } from './kernel.ts';
import type { Scheduler } from './scheduler.ts';
import { type HeldRow, phaseOf, type StoredRun } from './store.ts';

/** Longer than this between two turns: workers may have been unable to renew. */
const awayMs = 30_000;

/** All loops of a server, each as a process of its own. */
export function startTurns(scheduler: Scheduler): void {
  const { kernel } = scheduler.world;
  wakeTurn(scheduler);
  admissionTurn(scheduler);
  kernel.spawn(scheduler, leaseTurn(scheduler));
  kernel.spawn(scheduler, childTurn(scheduler));
}

/** Runs whose time has come, or for which the inbox holds something; and attempts that nobody has in memory. */
function wakeTurn(scheduler: Scheduler): void {
  const { store } = scheduler.world;
  const { nowMs } = scheduler.context;
  for (const { run, wakeAtMs } of store.runs.values()) {
    if (wakeAtMs !== null && wakeAtMs <= nowMs)
      scheduler.submit({ kind: 'look', runId: run.runId, tries: 0 });
    else if (hasQueued(run) && scheduler.hot.get(run.runId)?.run.version !== run.version) {
      scheduler.hot.delete(run.runId);
      scheduler.submit({ kind: 'look', runId: run.runId, tries: 0 });
    }
  }
  for (const runId of new Set([...store.inbox.values()].map((news) => news.runId))) {
    scheduler.hot.delete(runId);
    scheduler.submit({ kind: 'look', runId, tries: 0 });
  }
}

function hasQueued(run: Run): boolean {
  return phaseOf(run).kind === 'running' && run.taskRuns.some(({ state }) => state.kind === 'queued');
}

/** Oldest first, as many as there are places. */
function admissionTurn(scheduler: Scheduler): void {
  const { store } = scheduler.world;
  for (const { run } of store.runs.values()) {
    if (run.jobId === null || phaseOf(run).kind !== 'queued') continue;
    const { active, runsMax } = store.readPlaces(run.jobId);
    if (active >= runsMax) continue;
    scheduler.submit({ kind: 'admit', runId: run.runId, jobId: run.jobId, tries: 0 });
  }
}

/** Remote workers whose lease has run out have lost what they held. */
function* leaseTurn(scheduler: Scheduler): Program {
  const { store, kernel } = scheduler.world;
  const { lastLeaseTurnMs } = scheduler;
  if (lastLeaseTurnMs === null || kernel.nowMs - lastLeaseTurnMs > awayMs) store.extendLeases();
  scheduler.lastLeaseTurnMs = kernel.nowMs;
  yield null;
  for (const { runId, taskRun } of store.findLost()) {
    const { attemptId, epoch, state } = taskRun;
    scheduler.world.trace?.(`${scheduler.name}: the lease of attempt ${attemptId} has run out`);
    // A remote host runs no user line before its start is durable.
    const beforeUserCode = state.kind === 'claimed';
    const message = 'the worker has not been heard of';
    kernel.spawn(
      scheduler,
      tellLost(scheduler, runId, { kind: 'attempt_lost', attemptId, epoch, beforeUserCode, message }),
    );
  }
}

function* tellLost(scheduler: Scheduler, ...[runId, event]: LostNews): Program {
  yield* scheduler.tell(runId, [event]);
}
type LostNews = [HeldRow['runId'], Parameters<Scheduler['tell']>[1][number]];

/** Tasks whose work is another run: it is begun once for each attempt, its end is told, and it goes with its parent. */
function* childTurn(scheduler: Scheduler): Program {
  const { store } = scheduler.world;
  for (const { run } of [...store.runs.values()]) {
    if (phaseOf(run).kind !== 'running') continue;
    for (const taskRun of run.taskRuns.values()) {
      if (taskRun.state.kind === 'ready' && isRunJob(run, taskRun))
        yield* startChild(scheduler, run, taskRun);
    }
  }
  for (const child of [...store.runs.values()]) {
    if (child.facts.parent === null) continue;
    const parent = store.rows.get(child.facts.parent.attemptId)?.taskRun;
    if (parent) yield* followParent(scheduler, child, parent);
  }
}

function isRunJob(run: Run, { taskKey }: TaskRun): boolean {
  const generation = run.generations[run.generations.length - 1];
  return (
    generation !== undefined &&
    findDefinition(graphOf(generation.definition), taskKey)?.work.kind === 'run_job'
  );
}

function* startChild(scheduler: Scheduler, run: Run, { attemptId, taskKey }: TaskRun): Program {
  const { store } = scheduler.world;
  const jobId = store.job(run.jobId).childJobs.get(taskKey);
  if (jobId === undefined) throw new Error(`bug: '${taskKey}' starts no job`);
  const done = new Ticket<Run['runId'] | 'failed'>();
  const { definition } = store.job(jobId);
  const facts = { token: null, parent: { runId: run.runId, attemptId } };
  scheduler.submit({
    kind: 'create',
    runId: toRunId(store.newId()),
    jobId,
    definition,
    facts,
    done,
    tries: 0,
  });
  yield done;
  if (done.value === undefined || done.value === 'failed') return;
  yield* scheduler.tell(run.runId, [{ kind: 'child_started', attemptId, childRunId: done.value }]);
}

function* followParent(
  scheduler: Scheduler,
  { run: child, facts }: StoredRun,
  { state, attemptId }: TaskRun,
): Program {
  if (facts.parent === null) return;
  const phase = phaseOf(child);
  if (phase.kind === 'ended') {
    if (state.kind !== 'running_parts') return;
    const outcome = outcomeOf(phase.result);
    yield* scheduler.tell(facts.parent.runId, [
      { kind: 'child_ended', attemptId, childRunId: child.runId, outcome },
    ]);
  } else if (phase.kind !== 'terminating' && isOver(state)) {
    yield* scheduler.tell(child.runId, [{ kind: 'cancel_requested', reason: 'cancelled_by_system' }]);
  }
}

function isOver(state: TaskRun['state']): boolean {
  return state.kind === 'ended' || (state.kind === 'running_parts' && state.stop !== null);
}

const childFailed: Failure = { code: 'RUN_EXECUTION_ERROR', message: 'the run has failed', trace: null };

function outcomeOf(result: string): ChildOutcome {
  if (result === 'succeeded' || result === 'succeeded_with_failures') return { kind: 'succeeded' };
  if (result === 'cancelled' || result === 'cancelled_by_system') return { kind: 'cancelled' };
  return { kind: 'failed', failure: childFailed };
}
