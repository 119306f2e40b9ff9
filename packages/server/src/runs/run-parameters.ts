/** Parameters as callers give them with run-now and with a repair. */
import { ApiError, type JobsRunNowRequest } from '@headrace/api';
import type { JobParameterValue, OverridingParameters } from './run-facts.ts';

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

type OverridingRequest = Partial<Pick<JobsRunNowRequest, (typeof overridingNames)[number]>>;

/** Those that were given. Throws on two that exclude each other. */
export function takeOverriding(request: OverridingRequest): OverridingParameters {
  if (request.jar_params !== undefined && request.notebook_params !== undefined) {
    throw new ApiError('INVALID_PARAMETER_VALUE', 'jar_params and notebook_params exclude each other');
  }
  const given = overridingNames.flatMap((name) =>
    request[name] === undefined ? [] : [[name, request[name]]],
  );
  return Object.fromEntries(given);
}

/** What is given replaces what was there; a name that was not there is kept after the others. */
export function giveJobParameters(
  former: readonly JobParameterValue[],
  given: Readonly<Record<string, string>>,
): JobParameterValue[] {
  const names = new Set(former.map(({ name }) => name));
  const kept = former.map((parameter) => {
    const value = Object.hasOwn(given, parameter.name) ? given[parameter.name] : undefined;
    return value === undefined ? parameter : { ...parameter, value };
  });
  const added = Object.entries(given).filter(([name]) => !names.has(name));
  return [...kept, ...added.map(([name, value]) => ({ name, default: '', value }))];
}
