/** Why a run, one of its tasks or an iteration stands where it does: facts, and one sentence made from them. */
import { ApiError, type RequestOf, type ResponseOf, type routes } from '@headrace/api';
import { assertNever, type EndedResult, queuedMsMax, type TaskDefinition } from '@headrace/core';
import { lastLineOf, type RunFact, type TaskFact, toldMax } from './explain-facts.ts';
import { toRunSentence, toTaskSentence } from './explain-sentence.ts';
import { countQueuedRunsBefore, readDefinition, readLatestIteration } from './explain-store.ts';
import { type ExplainedRun, type ExplainServices, explainTaskRun, unknownTask } from './explain-task.ts';
import { toPhase } from './run-rows.ts';
import { readPlaces } from './save-store.ts';
import { readRun, readTaskRuns, type TaskRunView } from './store.ts';
import { countIterations } from './view-store.ts';
import { hasGivenUp } from './wire-states.ts';

type Why = ResponseOf<typeof routes.runsWhy>;

export async function explainRun(
  services: ExplainServices,
  request: RequestOf<typeof routes.runsWhy>,
): Promise<Why> {
  const { db } = services;
  const run = await readRun(db, request.run_id);
  if (!run) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Run ${request.run_id} does not exist.`);
  const [definition, taskRuns] = await Promise.all([
    readDefinition(db, { runId: run.run_id, generation: run.generation }),
    readTaskRuns(db, [run.run_id]),
  ]);
  const explained = { run, definition, latest: latestOf(taskRuns) };
  if (request.task_key === undefined) return explainWhole(services, explained);
  return explainTask(services, explained, { ...request, task_key: request.task_key });
}

/** By task, in the order of their first attempts. */
function latestOf(taskRuns: readonly TaskRunView[]): ReadonlyMap<string, TaskRunView> {
  const latest = new Map<string, TaskRunView>();
  for (const taskRun of taskRuns) {
    const known = latest.get(taskRun.task_key);
    const isLater =
      !known ||
      taskRun.generation > known.generation ||
      (taskRun.generation === known.generation && taskRun.attempt > known.attempt);
    if (isLater) latest.set(taskRun.task_key, taskRun);
  }
  return latest;
}

async function explainWhole(services: ExplainServices, explained: ExplainedRun): Promise<Why> {
  const { run, latest } = explained;
  const facts = await explainPhase(services, explained);
  const isActive = run.phase === 'running' || run.phase === 'terminating';
  const inMotion = [...latest.values()].filter(({ state }) => state !== 'ended' && state !== 'blocked');
  const told: TaskFact[][] = [];
  if (isActive) {
    for (const taskRun of inMotion.slice(0, toldMax)) {
      told.push(await explainTaskRun(services, explained, taskRun));
    }
    if (inMotion.length > toldMax) facts.push({ kind: 'more_tasks', count: inMotion.length - toldMax });
  }
  return {
    run_id: run.run_id,
    sentence: toRunSentence(run.run_id, facts, told),
    facts: toWire([...facts, ...told.flat()]),
  };
}

async function explainPhase({ db }: ExplainServices, explained: ExplainedRun): Promise<RunFact[]> {
  const { run } = explained;
  const phase = toPhase(run);
  switch (phase.kind) {
    case 'queued': {
      const [ahead, [places]] = await Promise.all([
        countQueuedRunsBefore(db, run),
        readPlaces(db, run.job_id === null ? [] : [run.job_id]),
      ]);
      return [
        {
          kind: 'run_queued',
          position: ahead + 1,
          active_runs: places?.active ?? 0,
          max_concurrent_runs: places?.runs_max ?? 0,
          since_ms: run.generation_created_at_ms,
          gives_up_at_ms: run.generation_created_at_ms + queuedMsMax,
        },
      ];
    }
    case 'running':
      return [{ kind: 'run_running', since_ms: phase.startedAtMs }];
    case 'terminating':
      return [{ kind: 'run_stopping', reason: phase.reason, since_ms: phase.sinceMs }];
    case 'ended':
      return [explainEnd(explained, phase.endedAtMs)];
    default:
      return assertNever(phase);
  }
}

function explainEnd({ run, latest }: ExplainedRun, endedAtMs: number): RunFact {
  if (run.result === 'skipped_no_place') {
    const gaveUp = hasGivenUp({ ...run, created_at_ms: run.generation_created_at_ms });
    return { kind: 'run_skipped', reason: gaveUp ? 'waited_too_long' : 'no_place', at_ms: endedAtMs };
  }
  const { cause, parent_attempt_id: parentId } = run;
  const message = cause ? lastLineOf(cause.failure.message) : '';
  const failed = [...latest.values()].filter(({ result }) => result !== null && isFailed(result));
  return {
    kind: 'run_ended',
    result: run.result ?? 'failed',
    at_ms: endedAtMs,
    ...(cause ? { cause_task_key: cause.taskKey } : {}),
    ...(message === '' ? {} : { message }),
    ...(run.result === 'succeeded_with_failures'
      ? { failed_task_keys: failed.slice(0, toldMax).map(({ task_key }) => task_key) }
      : {}),
    ...(parentId === null ? {} : { parent_task_run_id: parentId }),
  };
}

/** Their fields follow from their kinds; the contract names the kind alone. */
function toWire(facts: readonly (RunFact | TaskFact)[]): Why['facts'] {
  return facts.map((fact) => ({ ...fact }));
}

function isFailed(result: EndedResult): boolean {
  return result === 'failed' || result === 'timed_out' || result === 'internal_error';
}

interface TaskQuestion {
  readonly run_id: number;
  readonly task_key: string;
  readonly iteration?: number | undefined;
}

async function explainTask(
  services: ExplainServices,
  explained: ExplainedRun,
  question: TaskQuestion,
): Promise<Why> {
  const { run, definition } = explained;
  const task = definition.tasks.find(({ key }) => key === question.task_key) ?? outerOf(explained, question);
  if (!task && !explained.latest.has(question.task_key)) {
    const keys = definition.tasks.map(({ key }) => key);
    throw unknownTask(run.run_id, question.task_key, keys);
  }
  const key = task?.key ?? question.task_key;
  const facts = await explainSubject(services, explained, { key, task, question });
  const { iteration } = question;
  const subject = iteration === undefined ? { task_key: key } : { task_key: question.task_key, iteration };
  return {
    run_id: run.run_id,
    task_key: question.task_key,
    sentence: toTaskSentence(subject, facts),
    facts: toWire(facts),
  };
}

/** The for-each whose iterations have this key. */
function outerOf({ definition }: ExplainedRun, { task_key }: TaskQuestion): TaskDefinition | undefined {
  return definition.tasks.find(({ work }) => work.kind === 'for_each' && work.task.key === task_key);
}

async function explainSubject(
  services: ExplainServices,
  explained: ExplainedRun,
  {
    key,
    task,
    question,
  }: {
    readonly key: string;
    readonly task: TaskDefinition | undefined;
    readonly question: TaskQuestion;
  },
): Promise<(TaskFact | RunFact)[]> {
  const { run, latest } = explained;
  const taskRun = latest.get(key);
  // A run that found no place has nothing to tell of its tasks.
  if (!taskRun || run.result === 'skipped_no_place') return explainPhase(services, explained);
  if (question.iteration === undefined) return explainTaskRun(services, explained, taskRun);
  return explainIteration(services, explained, { outer: taskRun, task, question });
}

async function explainIteration(
  services: ExplainServices,
  explained: ExplainedRun,
  {
    outer,
    task,
    question,
  }: {
    readonly outer: TaskRunView;
    readonly task: TaskDefinition | undefined;
    readonly question: TaskQuestion;
  },
): Promise<TaskFact[]> {
  const { iteration = 0, run_id: runId } = question;
  if (task?.work.kind !== 'for_each') {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `iteration: task '${question.task_key}' of run ${runId} is no for-each`,
    );
  }
  if (outer.inputs_count === null) return explainTaskRun(services, explained, outer);
  if (iteration >= outer.inputs_count) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `iteration: task '${task.key}' of run ${runId} has ${outer.inputs_count} iterations, counted from 0`,
    );
  }
  const nestedKey = task.work.task.key;
  const found = await readLatestIteration(services.db, { runId, nestedKey, iteration });
  if (found) return explainTaskRun(services, explained, found);
  const [counts] = await countIterations(services.db, [outer.attempt_id]);
  const begun = (counts?.begun ?? 0) + (outer.reused_count ?? 0);
  return [{ kind: 'waits_for_turn', task_key: nestedKey, iteration, begun, total: outer.inputs_count }];
}
