/** Starts a run of a job with the settings that it has now. */
import { ApiError, type JobSettings, type JobsRunNowRequest } from '@headrace/api';
import { toJobId } from '@headrace/core';
import type { Principal } from '../context.ts';
import { type CreatedRun, createRun, type RunServices } from '../runs/create-run.ts';
import { withTasks } from '../runs/run-definition.ts';
import type { JobParameterValue, OverridingParameters, RunTrigger } from '../runs/run-facts.ts';
import { noSuchJob, untitled } from './save-job.ts';
import { readJob } from './store.ts';

export interface RunNowOrder {
  readonly request: JobsRunNowRequest;
  readonly principal: Principal;
  readonly trigger: RunTrigger;
}

export async function runJobNow(services: RunServices, order: RunNowOrder): Promise<CreatedRun> {
  const { request, principal, trigger } = order;
  const job = await readJob(services.db, request.job_id);
  if (!job) throw noSuchJob(request.job_id);
  refuseUnsupported(request);
  const settings = job.settings as JobSettings; // It passed the schema when it was saved.
  return createRun(services, {
    jobId: toJobId(job.job_id),
    runName: settings.name ?? untitled,
    settings: withTasks(job.settings, settings.name ?? untitled),
    parameters: {
      job: takeJobParameters(settings, request.job_parameters ?? {}),
      overriding: overridingOf(request),
    },
    trigger,
    principal,
    idempotencyToken: request.idempotency_token ?? null,
    queueEnabled: request.queue?.enabled ?? settings.queue?.enabled ?? false,
  });
}

function refuseUnsupported(request: JobsRunNowRequest): void {
  if (request.jar_params !== undefined && request.notebook_params !== undefined) {
    throw new ApiError('INVALID_PARAMETER_VALUE', 'jar_params and notebook_params exclude each other');
  }
  for (const field of ['only', 'dbt_commands', 'pipeline_params'] as const) {
    if (request[field] !== undefined) {
      throw new ApiError('INVALID_PARAMETER_VALUE', `${field}: not supported yet`);
    }
  }
}

/** Defaults in the job's order, with the caller's values; a name that the job does not define is kept after them. */
function takeJobParameters(
  settings: JobSettings,
  given: Readonly<Record<string, string>>,
): JobParameterValue[] {
  const defined = (settings.parameters ?? []).map((parameter) => {
    const value = Object.hasOwn(given, parameter.name) ? given[parameter.name] : undefined;
    return { name: parameter.name, default: parameter.default, ...(value === undefined ? {} : { value }) };
  });
  const names = new Set(defined.map(({ name }) => name));
  const others = Object.entries(given).filter(([name]) => !names.has(name));
  return [...defined, ...others.map(([name, value]) => ({ name, default: '', value }))];
}

function overridingOf(request: JobsRunNowRequest): OverridingParameters {
  const { notebook_params, python_params, python_named_params, jar_params, spark_submit_params, sql_params } =
    request;
  const given = {
    notebook_params,
    python_params,
    python_named_params,
    jar_params,
    spark_submit_params,
    sql_params,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
