/** The run of another job that a task starts: with that task's parameters, and those of the task's own job. */
import { ApiError, type JobSettings, type RunJobTask } from '@headrace/api';
import { type Failure, findTaskRun, toAttemptId } from '@headrace/core';
import { assert } from '../assert.ts';
import {
  type AttemptOf,
  resolveAll,
  type ServerUrls,
  toReferenceScope,
} from '../attempts/reference-scope.ts';
import type { StartChild } from '../runs/child-run-loop.ts';
import type { RunServices } from '../runs/create-run.ts';
import { findRecursion } from '../runs/find-recursion.ts';
import { HotRuns } from '../runs/hot-runs.ts';
import { findTask } from '../runs/task-documents.ts';
import { findActivePrincipal } from '../tokens/find-principal.ts';
import { runJobNow } from './run-now.ts';

export function createChildStarter(services: RunServices, urls: () => ServerUrls): StartChild {
  return async ({ run_id, attempt_id }) => {
    const [loaded] = await new HotRuns(services.db).load([run_id]);
    const attemptId = toAttemptId(attempt_id);
    const taskRun = loaded && findTaskRun(loaded.run, attemptId);
    // Another turn was faster; what is said now changes nothing.
    if (!loaded || !taskRun) return failed('The task does not wait for a run any more.');
    const step = { facts: loaded.facts, run: loaded.run, taskRun };
    const request = toRequest(step, urls());
    const refusal = await findRecursion(services, { runId: run_id, jobId: request.job_id });
    if (refusal) return refusal;
    const principal = await findActivePrincipal(services.db, loaded.facts.ownerId);
    if (!principal) return failed('The user that the run belongs to does not exist any more.');
    try {
      return await runJobNow(services, {
        request,
        principal,
        trigger: 'RUN_JOB_TASK',
        parent: { runId: loaded.run.runId, attemptId },
      });
    } catch (error) {
      // The caller's mistake is the task's bad news here.
      if (error instanceof ApiError) return failed(error.message);
      throw error;
    }
  };
}

type Step = Omit<AttemptOf, 'epoch'>;

function toRequest(step: Step, urls: ServerUrls): RunJobTask {
  const written = findTask(step.facts.settings as JobSettings, step.taskRun.taskKey).run_job_task;
  assert(written, `attempt ${step.taskRun.attemptId} starts no run`);
  const scope = toReferenceScope(step, urls);
  const { job_parameters, ...task } = resolveAll(written, scope);
  // On the same key the job's parameter wins, as everywhere.
  return { ...task, job_parameters: { ...job_parameters, ...scope.job.parameters } };
}

function failed(message: string): Failure {
  return { code: 'RUN_EXECUTION_ERROR', message, trace: null };
}
