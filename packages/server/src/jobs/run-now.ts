/** Starts a run of a job with the settings that it has now. */
import { ApiError, type JobSettings, type JobsRunNowRequest } from '@headrace/api';
import { toJobId } from '@headrace/core';
import type { Principal } from '../context.ts';
import { type CreatedRun, createRun, type RunServices } from '../runs/create-run.ts';
import { withTasks } from '../runs/run-definition.ts';
import type { JobParameterValue, OverridingParameters, RunParent, RunTrigger } from '../runs/run-facts.ts';
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
  refuseContradictions(request);
  const settings = job.settings as JobSettings; // It passed the schema when it was saved.
  return createRun(services, {
    jobId: toJobId(job.job_id),
    runName: settings.name ?? untitled,
    settings: withTasks(job.settings, settings.name ?? untitled),
    parameters: {
      job: takeJobParameters(settings, request.job_parameters ?? {}),
      overriding: overridingOf(request),
      ...(request.only && request.only.length > 0 ? { only: request.only } : {}),
    },
    trigger,
    principal,
    idempotencyToken: request.idempotency_token ?? null,
    queueEnabled: request.queue?.enabled ?? settings.queue?.enabled ?? false,
    ...(parent ? { parent } : {}),
  });
}

export function refuseContradictions(request: ParameterRequest): void {
  if (request.jar_params !== undefined && request.notebook_params !== undefined) {
    throw new ApiError('INVALID_PARAMETER_VALUE', 'jar_params and notebook_params exclude each other');
  }
}

/** Defaults in the job's order, with the caller's values; a name that the job does not define is kept after them. */
export function takeJobParameters(
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

const overridingNames = [
  'notebook_params',
  'python_params',
  'python_named_params',
  'jar_params',
  'spark_submit_params',
  'sql_params',
  'dbt_commands',
  'pipeline_params',
] as const;

type ParameterRequest = Partial<Pick<JobsRunNowRequest, (typeof overridingNames)[number]>>;

export function overridingOf(request: ParameterRequest): OverridingParameters {
  const given = overridingNames.flatMap((name) =>
    request[name] === undefined ? [] : [[name, request[name]]],
  );
  return Object.fromEntries(given);
}
