/** Starts a run of a job with the settings that it has now. */
import type { JobSettings, JobsRunNowRequest } from '@headrace/api';
import { toJobId } from '@headrace/core';
import type { Principal } from '../context.ts';
import { type CreatedRun, createRun, type RunServices } from '../runs/create-run.ts';
import { withTasks } from '../runs/run-definition.ts';
import type { JobParameterValue, RunParent, RunTrigger } from '../runs/run-facts.ts';
import { giveJobParameters, takeOverriding } from '../runs/run-parameters.ts';
import { noSuchJob, untitled } from './save-job.ts';
import { readJob } from './store.ts';

export interface RunNowOrder {
  readonly request: Pick<JobsRunNowRequest, 'job_id'> & Partial<JobsRunNowRequest>;
  readonly principal: Principal;
  readonly trigger: RunTrigger;
  /** The task whose work the run is. */
  readonly parent?: RunParent;
}

export async function runJobNow(services: RunServices, order: RunNowOrder): Promise<CreatedRun> {
  const { request, principal, trigger, parent } = order;
  const job = await readJob(services.db, request.job_id);
  if (!job) throw noSuchJob(request.job_id);
  const settings = job.settings as JobSettings; // It passed the schema when it was saved.
  return createRun(services, {
    jobId: toJobId(job.job_id),
    runName: settings.name ?? untitled,
    settings: withTasks(job.settings, settings.name ?? untitled),
    parameters: {
      job: giveJobParameters(definedParameters(settings), request.job_parameters ?? {}),
      overriding: takeOverriding(request),
      ...(request.only && request.only.length > 0 ? { only: request.only } : {}),
    },
    trigger,
    principal,
    idempotencyToken: request.idempotency_token ?? null,
    queueEnabled: request.queue?.enabled ?? settings.queue?.enabled ?? false,
    ...(parent ? { parent } : {}),
  });
}

/** In the job's order, without whatever else their definitions hold. */
function definedParameters({ parameters = [] }: JobSettings): JobParameterValue[] {
  return parameters.map((parameter) => ({ name: parameter.name, default: parameter.default }));
}
