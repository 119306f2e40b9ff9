/** Makes a run: settings frozen, job parameters taken, queued or admitted. Used by run-now, submit and triggers. */
import { ApiError } from '@headrace/api';
import { type JobId, toRunId } from '@headrace/core';
import type { Principal } from '../context.ts';
import { refuseUnstorable } from '../jobs/validate-settings.ts';
import type { Services } from '../services.ts';
import type { RunAdvancer } from './advance-run.ts';
import { toRunDefinition } from './run-definition.ts';
import type { Document, RunParameters, RunParent, RunTrigger, RunType } from './run-facts.ts';
import { findRunByToken } from './store.ts';

export interface RunServices extends Services {
  readonly advancer: RunAdvancer;
}

export interface RunOrder {
  /** null: a one-time run that belongs to no job. */
  readonly jobId: JobId | null;
  readonly runName: string;
  /** With `tasks`; frozen from here on. */
  readonly settings: Document;
  readonly parameters: RunParameters;
  readonly trigger: RunTrigger;
  readonly principal: Principal;
  /** The same token gives the same run. */
  readonly idempotencyToken: string | null;
  readonly queueEnabled: boolean;
  /** The task whose work it is: the same attempt gives the same run. */
  readonly parent?: RunParent;
  /** Where it is not what having a job says. */
  readonly runType?: RunType;
}

export interface CreatedRun {
  readonly runId: number;
  readonly numberInJob: number;
}

export async function createRun(services: RunServices, order: RunOrder): Promise<CreatedRun> {
  refuseUnstorable([order.parameters, order.runName, order.idempotencyToken], 'parameters');
  const token = order.idempotencyToken || null;
  const earlier = token === null ? null : await findByToken(services, token);
  if (earlier) return earlier;

  const definition = toRunDefinition(order.settings, order.parameters.only);
  await services.ids.reserve(1);
  const runId = toRunId(services.ids.newId());
  const created = await services.advancer.create({
    facts: {
      runId,
      jobId: order.jobId,
      runType: order.runType ?? (order.jobId === null ? 'SUBMIT_RUN' : 'JOB_RUN'),
      runName: order.runName,
      trigger: order.trigger,
      ownerId: order.principal.id,
      creatorUserName: order.principal.userName,
      idempotencyToken: token,
      // As hosted workspaces do since they stopped counting the runs of a job.
      numberInJob: runId,
      parent: order.parent ?? null,
      settings: order.settings,
      parameters: order.parameters,
    },
    definition,
    places: order.jobId === null ? null : { jobId: order.jobId, queueEnabled: order.queueEnabled },
  });
  if (created.kind === 'created') return { runId, numberInJob: runId };
  if (order.parent) return { runId: created.runId, numberInJob: created.runId };
  // Two requests raced with one token; the other one made the run.
  const winner = token === null ? null : await findByToken(services, token);
  if (!winner) throw new Error(`bug: run ${created.runId} holds a token and cannot be found by it`);
  return winner;
}

async function findByToken({ db }: RunServices, token: string): Promise<CreatedRun | null> {
  const row = await findRunByToken(db, token);
  if (!row) return null;
  if (row.deleted_at_ms !== null) {
    throw new ApiError(
      'INVALID_STATE',
      `idempotency_token: '${token}' belongs to run ${row.run_id}, which has been deleted; use another token`,
    );
  }
  return { runId: row.run_id, numberInJob: row.number_in_job };
}
