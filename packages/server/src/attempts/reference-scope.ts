/** What dynamic value references stand for when a task of a run begins. Pure. */
import type { JobSettings } from '@headrace/api';
import {
  type EndedResult,
  type ReferencedTask,
  type ReferenceScope,
  type Run,
  resolveReferences,
  type TaskRun,
} from '@headrace/core';
import type { JobParameterValue, RunFacts } from '../runs/run-facts.ts';
import { findTask } from '../runs/task-documents.ts';
import { outputOfTask, valuesOfTask } from './task-values.ts';

export interface AttemptOf {
  readonly facts: RunFacts;
  readonly run: Run;
  readonly taskRun: TaskRun;
  readonly epoch: number;
}

export interface ServerUrls {
  readonly publicUrl: string;
  readonly workspaceId: string;
}

export function toReferenceScope(
  { facts, run, taskRun }: Omit<AttemptOf, 'epoch'>,
  { publicUrl, workspaceId }: ServerUrls,
): ReferenceScope {
  const task = findTask(facts.settings as JobSettings, taskRun.taskKey);
  const scope: ReferenceScope = {
    job: {
      id: run.jobId,
      name: facts.runName,
      runId: run.runId,
      repairCount: run.generations.length - 1,
      startTimeMs: startTimeMs(run),
      parameters: {},
      trigger: { type: facts.trigger.toLowerCase(), timeMs: run.createdAtMs },
    },
    task: {
      name: taskRun.taskKey,
      runId: taskRun.attemptId,
      executionCount: taskRun.earlierAttempts + 1,
      retryCount: taskRun.attempt,
      notebookPath: task.notebook_task?.notebook_path ?? null,
    },
    tasks: { get: (key) => toReferencedTask(run, key) },
    workspace: { id: workspaceId, url: publicUrl },
    ...(taskRun.iteration === null ? {} : { input: taskRun.input }),
  };
  // Parameters may refer to the job and its start, not to each other.
  return { ...scope, job: { ...scope.job, parameters: resolveParameters(facts.parameters.job, scope) } };
}

/** Of the run, not of its repair. */
function startTimeMs(run: Run): number {
  const phase = run.generations[0]?.phase;
  return phase && phase.kind !== 'queued' && phase.startedAtMs !== null ? phase.startedAtMs : run.createdAtMs;
}

function resolveParameters(
  parameters: readonly JobParameterValue[],
  scope: ReferenceScope,
): Record<string, string> {
  return Object.fromEntries(
    parameters.map((parameter) => [
      parameter.name,
      resolveReferences(parameter.value ?? parameter.default, scope),
    ]),
  );
}

const resultNames = {
  succeeded: 'success',
  failed: 'failed',
  timed_out: 'timedout',
  cancelled: 'canceled',
  upstream_failed: 'upstream_failed',
  upstream_cancelled: 'upstream_canceled',
  excluded: 'excluded',
  disabled: 'disabled',
  internal_error: 'failed',
} satisfies Record<EndedResult, string>;

/** Looked up when it is asked for: a job may have a thousand tasks. */
function toReferencedTask(run: Run, key: string): ReferencedTask | undefined {
  const taskRun = run.taskRuns.get(key);
  if (!taskRun || taskRun.iteration !== null) return undefined;
  const { attemptId, earlierAttempts, state } = taskRun;
  const output = state.kind === 'ended' ? outputOfTask(run, key) : undefined;
  return {
    runId: attemptId,
    resultState: state.kind === 'ended' ? resultNames[state.result] : null,
    executionCount: earlierAttempts + 1,
    errorCode: state.kind === 'ended' ? (state.failure?.code ?? null) : null,
    values: valuesOfTask(run, key),
    ...(output ? { output } : {}),
  };
}

/** The same document with all references in its texts replaced. */
export function resolveAll<Value>(value: Value, scope: ReferenceScope): Value {
  if (typeof value === 'string') return resolveReferences(value, scope) as Value;
  if (Array.isArray(value)) return value.map((part: unknown) => resolveAll(part, scope)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, resolveAll(part, scope)]),
  ) as Value;
}
