/** Facts as people say them. Pure. */
import { assertNever, type EndedResult, type RunResult, type StopReason } from '@headrace/core';
import type { ConditionSides, RunFact, TaskFact, TaskSubject } from './explain-facts.ts';
import type { WorkerSilence } from './worker-silence.ts';

export function toTaskSentence(subject: TaskSubject, facts: readonly (TaskFact | RunFact)[]): string {
  return `${toName(subject, { isStart: true })} ${facts.map(toClause).join(', and ')}.`;
}

/** @param tasks of an active run: what each task in motion waits for. */
export function toRunSentence(
  runId: number,
  facts: readonly RunFact[],
  tasks: readonly (readonly TaskFact[])[],
): string {
  const about = facts.filter(({ kind }) => kind !== 'more_tasks').map(toClause);
  const told = tasks.flatMap((ofTask) => {
    const [first] = ofTask;
    return first ? [`${toName(first, { isStart: false })} ${ofTask.map(toClause).join(', and ')}`] : [];
  });
  const more = facts.filter(({ kind }) => kind === 'more_tasks').map(toClause);
  return `Run ${runId} ${[about.join(', and '), ...told, ...more].join('; ')}.`;
}

function toName({ task_key, iteration }: TaskSubject, { isStart }: { readonly isStart: boolean }): string {
  const name = iteration === undefined ? `task '${task_key}'` : `iteration ${iteration} of '${task_key}'`;
  return isStart ? name.charAt(0).toUpperCase() + name.slice(1) : name;
}

function toClause(fact: TaskFact | RunFact): string {
  switch (fact.kind) {
    case 'run_queued':
      return `waits in the queue since ${toIso(fact.since_ms)} as number ${fact.position}: ${count(fact.active_runs, 'run')} of its job ${fact.active_runs === 1 ? 'is' : 'are'} active, and max_concurrent_runs is ${fact.max_concurrent_runs}`;
    case 'run_skipped':
      return fact.reason === 'no_place'
        ? `was skipped at ${toIso(fact.at_ms)}: its job had as many runs as max_concurrent_runs allows, and queueing is off`
        : `was skipped at ${toIso(fact.at_ms)}: it had waited in the queue for 48 hours without a place`;
    case 'run_running':
      return `is running since ${toIso(fact.since_ms)}`;
    case 'run_stopping':
      return `is stopping since ${toIso(fact.since_ms)}: ${stopReasons[fact.reason]}`;
    case 'run_ended':
      return toRunEnd(fact);
    case 'more_tasks':
      return `${count(fact.count, 'more task')} ${fact.count === 1 ? 'is' : 'are'} in motion`;
    default:
      return toTaskClause(fact);
  }
}

function toTaskClause(fact: TaskFact): string {
  switch (fact.kind) {
    case 'waits_for_tasks':
      return `waits for ${toList(
        fact.tasks.map(({ task_key, state }) => `'${task_key}' (${stateWords[state]})`),
        fact.count,
      )}`;
    case 'waits_for_run':
      return 'has not begun: its run waits in the queue';
    case 'skipped_by_run_if':
      return `${skippedWords(fact.result)}: its run_if ${fact.run_if} was not met, since ${toList(
        fact.parents.map(({ task_key, result }) => `'${task_key}' ${resultWords[result]}`),
        fact.parents.length,
      )}`;
    case 'excluded_by_branch':
      return `was excluded: the condition of '${fact.condition_task_key}' (${toCondition(fact)}) came out ${fact.outcome}, and this task stands on the other branch`;
    case 'excluded_by_guard':
      return `was excluded: its condition (${toCondition(fact)}) does not hold`;
    case 'condition_evaluated':
      return `its condition (${toCondition(fact)}) came out ${fact.outcome}`;
    case 'disabled':
      return 'was not run: it is disabled';
    case 'waits_for_retry':
      return `waits for a retry: attempt ${fact.attempt_number + 1} is due at ${toTime(fact.due_at_ms)} UTC`;
    case 'waits_for_worker':
      return toWorkerClause(fact);
    case 'waits_for_cluster':
      return toClusterClause(fact);
    case 'waits_for_child_to_be_made':
      return 'waits for the run that it starts to be made';
    case 'waits_for_child_run':
      return `waits for run ${fact.run_id}, which is ${fact.state}`;
    case 'waits_for_turn':
      return `has not begun: ${fact.begun} of ${count(fact.total, 'iteration')} have, and the others wait for a place among those that may run at a time`;
    case 'running':
      return `is running since ${toIso(fact.since_ms)}${fact.worker_id === null ? '' : ` on worker ${fact.worker_id}`}${toSilence(fact.silence)}${toSilentHost(fact.host_message)}`;
    case 'iterations':
      return `${fact.completed} of its ${count(fact.total, 'iteration')} ${fact.completed === 1 ? 'has' : 'have'} ended (${fact.failed} failed, ${fact.active} active)`;
    case 'stopping':
      return `is stopping since ${toIso(fact.since_ms)}: ${stopReasons[fact.reason]}${toSilence(fact.silence)}${toSilentHost(fact.host_message)}`;
    case 'ended':
      return toTaskEnd(fact);
    default:
      return assertNever(fact);
  }
}

function toRunEnd(fact: Extract<RunFact, { kind: 'run_ended' }>): string {
  const cause = fact.cause_task_key === undefined ? '' : ` because of task '${fact.cause_task_key}'`;
  const said = fact.message ? `: ${withoutStop(fact.message)}` : '';
  const failed = fact.failed_task_keys ?? [];
  const although = failed.length === 0 ? '' : `, although ${toQuotedList(failed)} failed`;
  const parent =
    fact.result === 'cancelled_by_system' && fact.parent_task_run_id !== undefined
      ? `, together with the task run ${fact.parent_task_run_id} that had started it`
      : '';
  return `${runResultWords[fact.result]} at ${toIso(fact.at_ms)}${cause}${parent}${although}${said}`;
}

function toTaskEnd(fact: Extract<TaskFact, { kind: 'ended' }>): string {
  // People count from one.
  const attempt = fact.attempt_number === 0 ? '' : ` in attempt ${fact.attempt_number + 1}`;
  const reason =
    fact.result === 'cancelled' && fact.reason !== undefined ? ` (${stopReasons[fact.reason]})` : '';
  const said = fact.message ? `: ${withoutStop(fact.message)}` : '';
  return `${resultWords[fact.result]} at ${toIso(fact.at_ms)}${attempt}${reason}${said}`;
}

function toWorkerClause(fact: Extract<TaskFact, { kind: 'waits_for_worker' }>): string {
  const asked = Object.entries(fact.worker_labels ?? {}).map(([name, value]) => `${name}=${value}`);
  const wanted = asked.length === 0 ? 'a worker' : `a worker with ${toAnd(asked)}`;
  const place = `waits since ${toIso(fact.since_ms)} for ${wanted}, as number ${fact.position}`;
  const silent = toSilentWorkers(fact.silent_workers ?? []);
  if (fact.workers === 0 && silent !== '') return `${place}: ${silent}`;
  if (fact.workers === 0)
    return `${place}: ${asked.length === 0 ? 'no worker is connected' : 'none is signed on'}`;
  const also = silent === '' ? '' : `; ${silent}`;
  const full = fact.full_worker_ids ?? [];
  if (asked.length > 0 && fact.free_slots === 0 && full.length > 0) {
    const more = fact.workers - full.length;
    const named = more > 0 ? [...full, `${more} more`] : full;
    return `${place}: the ones that have ${asked.length === 1 ? 'it' : 'them'} are full: ${toAnd(named)}${also}`;
  }
  const workers = count(fact.workers, asked.length === 0 ? 'worker' : 'such worker');
  return `${place}: ${fact.free_slots} of ${count(fact.slots, 'slot')} of ${workers} ${fact.free_slots === 1 ? 'is' : 'are'} free${also}`;
}

function toSilentWorkers(silent: readonly WorkerSilence[]): string {
  const told = silent.map(
    ({ worker_id, heard_ms_ago }) => `${worker_id} was last heard of ${toAgo(heard_ms_ago)}`,
  );
  return toAnd(told);
}

/** Of the worker that a task is on: what is known, and what follows when nothing more is heard. */
function toSilence(silence: WorkerSilence | undefined): string {
  if (!silence) return '';
  const { worker_id, heard_ms_ago, lease_left_ms: leftMs } = silence;
  const heard = `, but worker ${worker_id} was last heard of ${toAgo(heard_ms_ago)}`;
  if (leftMs === null)
    return `${heard}: its server is down or stuck, and the task is taken up again when that server is back`;
  if (leftMs === 0) return `${heard}: its lease has ended, and the attempt is about to count as lost`;
  return `${heard}: without news within ${toSeconds(leftMs)} the attempt counts as lost`;
}

function toSilentHost(message: string | undefined): string {
  return message === undefined ? '' : `, but ${withoutStop(message)}`;
}

function toClusterClause(fact: Extract<TaskFact, { kind: 'waits_for_cluster' }>): string {
  const cluster = fact.cluster_id === null ? 'its cluster' : `cluster ${fact.cluster_id}`;
  const host = fact.host_state === null ? '' : `, whose host is ${fact.host_state}`;
  const said = fact.message ? ` (${withoutStop(fact.message)})` : '';
  return `was taken by worker ${fact.worker_id} at ${toIso(fact.since_ms)} and waits for ${cluster}${host}${said}${toSilence(fact.silence)}`;
}

const stopReasons = {
  cancelled_by_user: 'cancelled by a user',
  cancelled_by_system: 'cancelled by the system',
  timed_out: 'it ran longer than its timeout_seconds',
  run_timed_out: 'the run took longer than the timeout_seconds of its job',
} satisfies Record<StopReason, string>;

const runResultWords = {
  succeeded: 'succeeded',
  succeeded_with_failures: 'succeeded',
  failed: 'failed',
  timed_out: 'timed out',
  cancelled: 'was cancelled',
  cancelled_by_system: 'was cancelled by the system',
  skipped_no_place: 'was skipped',
  continued: 'was continued by a repair',
} satisfies Record<RunResult, string>;

const resultWords = {
  succeeded: 'succeeded',
  failed: 'failed',
  timed_out: 'timed out',
  cancelled: 'was cancelled',
  upstream_failed: 'was skipped after a failure',
  upstream_cancelled: 'was skipped after a cancellation',
  excluded: 'was excluded',
  disabled: 'was disabled',
  internal_error: 'failed without a fault of its code',
} satisfies Record<EndedResult, string>;

function skippedWords(result: EndedResult): string {
  if (result === 'excluded') return 'was excluded';
  return result === 'disabled' ? 'was not run' : 'was skipped';
}

const stateWords = {
  blocked: 'waiting for others',
  waiting_for_retry: 'waiting for a retry',
  ready: 'about to begin',
  queued: 'waiting for a worker',
  claimed: 'waiting for its cluster',
  running: 'running',
  stopping: 'stopping',
  running_parts: 'running',
  ended: 'ended',
};

function toCondition({ left, op, right }: ConditionSides): string {
  return `"${left}" ${op ?? 'against'} "${right}"`;
}

function toList(told: readonly string[], total: number): string {
  return toAnd([...told, ...(total > told.length ? [count(total - told.length, 'more task')] : [])]);
}

function toAnd(all: readonly string[]): string {
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

function toQuotedList(keys: readonly string[]): string {
  return toList(
    keys.map((key) => `'${key}'`),
    keys.length,
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function toAgo(ms: number): string {
  return `${toSeconds(ms)} ago`;
}

function toSeconds(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

/** The sentence has its own. */
function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

function toTime(ms: number): string {
  return toIso(ms).slice(11, 19);
}
