/** Parameters of one run, for all tasks of a kind: given to run-now, to a repair, and by a task that runs a job. */
import { z } from 'zod';
import { textMap, wireBool } from './wire.ts';

export const runParametersMax = 1_000;

const parameterList = z.array(z.string()).max(runParametersMax);

export const PipelineParams = z.looseObject({
  full_refresh: wireBool.optional(),
  full_refresh_selection: parameterList.optional(),
  refresh_selection: parameterList.optional(),
  refresh_flow_selection: parameterList.optional(),
  reset_checkpoint_selection: parameterList.optional(),
});
export type PipelineParams = z.output<typeof PipelineParams>;

/** The older parameters, beside `job_parameters`. */
export const runParameterFields = {
  notebook_params: textMap.optional(),
  python_params: parameterList.optional(),
  python_named_params: textMap.optional(),
  jar_params: parameterList.optional(),
  spark_submit_params: parameterList.optional(),
  sql_params: textMap.optional(),
  dbt_commands: parameterList.optional(),
  pipeline_params: PipelineParams.optional(),
};
