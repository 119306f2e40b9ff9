/** The output of one task run: its result, the end of its log, its error. */
import { ApiError, findTaskKinds, type RunOutput } from '@headrace/api';
import type { Services } from '../services.ts';
import { readLogTail } from './attempt-files.ts';
import { findTaskRun } from './read-runs.ts';
import { tasksOf } from './run-definition.ts';
import { readRun, type TaskRunView } from './store.ts';
import { toTaskRunDocument } from './wire.ts';

/** As hosted: the end of the log, up to 5 MB. */
const logTailBytesMax = 5 * 1024 * 1024;

export async function getRunOutput(
  services: Pick<Services, 'db' | 'blobs'>,
  { runId, publicUrl }: { readonly runId: number; readonly publicUrl: string },
): Promise<RunOutput> {
  const found = await findTaskRun(services, runId);
  if (!found) throw await noOutputOf(services, runId);
  const { run, taskRun } = found;
  const task = tasksOf(run.settings).find(({ task_key }) => task_key === taskRun.task_key);
  const isNotebook = task !== undefined && findTaskKinds(task).includes('notebook_task');
  return {
    metadata: toTaskRunDocument(run, taskRun, { publicUrl }),
    ...(isNotebook ? notebookOutput(taskRun) : await logsOf(services, taskRun)),
    ...errorOf(taskRun),
  };
}

async function noOutputOf({ db }: Pick<Services, 'db'>, runId: number): Promise<ApiError> {
  if (await readRun(db, runId)) {
    return new ApiError(
      'INVALID_PARAMETER_VALUE',
      'Retrieving the output of runs with multiple tasks is not supported. Please retrieve the output of each individual task run instead.',
    );
  }
  return new ApiError('INVALID_PARAMETER_VALUE', `Run ${runId} does not exist.`);
}

function notebookOutput({ exit_value: result }: TaskRunView): Pick<RunOutput, 'notebook_output'> {
  return { notebook_output: result === null ? {} : { result, truncated: false } };
}

async function logsOf(
  { blobs }: Pick<Services, 'blobs'>,
  taskRun: TaskRunView,
): Promise<Pick<RunOutput, 'logs' | 'logs_truncated'>> {
  const folder = { runId: taskRun.run_id, attemptId: taskRun.attempt_id };
  const { text, isCut } = await readLogTail(blobs, folder, logTailBytesMax);
  return { logs: text, logs_truncated: isCut };
}

function errorOf({ failure }: TaskRunView): Pick<RunOutput, 'error' | 'error_trace'> {
  if (failure === null) return {};
  return { error: failure.message, ...(failure.trace === null ? {} : { error_trace: failure.trace }) };
}
