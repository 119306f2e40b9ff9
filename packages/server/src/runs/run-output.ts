/** The output of one task run: its result, the end of its log, its error. */
import { ApiError, findTaskKinds, type RunOutput, type SqlTask } from '@headrace/api';
import type { Services } from '../services.ts';
import { readLogTail, readNotebook } from './attempt-files.ts';
import { toDbtOutput } from './dbt-output.ts';
import { readRunParts } from './read-run-parts.ts';
import { findTaskRun } from './read-runs.ts';
import { toSqlOutput } from './sql-output.ts';
import { readRun, type TaskRunView } from './store.ts';
import type { WrittenTask } from './task-documents.ts';
import { toTaskRunDocument } from './wire.ts';
import { findWrittenTask, noParts, settingsOf } from './wire-tasks.ts';

/** As hosted: the end of the log, up to 5 MB. */
const logTailBytesMax = 5 * 1024 * 1024;

export async function getRunOutput(
  services: Pick<Services, 'db' | 'blobs'>,
  { runId, publicUrl }: { readonly runId: number; readonly publicUrl: string },
): Promise<RunOutput> {
  const found = await findTaskRun(services, runId);
  if (!found) throw await noOutputOf(services, runId);
  const { run, taskRun } = found;
  const parts = (await readRunParts(services.db, [run], { taskRuns: [taskRun] })).get(run.run_id) ?? noParts;
  const task = findWrittenTask(settingsOf(run, parts, taskRun.generation), taskRun.task_key);
  return {
    metadata: toTaskRunDocument(run, taskRun, { publicUrl }, parts),
    ...(await outputOf(services, taskRun, { task, publicUrl })),
    ...errorOf(taskRun),
  };
}

/** Only what a worker executes has a result or a log; a guarded task is what it guards. */
async function outputOf(
  services: Pick<Services, 'blobs'>,
  taskRun: TaskRunView,
  { task, publicUrl }: { readonly task: WrittenTask | undefined; readonly publicUrl: string },
): Promise<Omit<RunOutput, 'metadata'>> {
  const kinds = task ? findTaskKinds(task) : [];
  if (kinds.includes('notebook_task')) return notebookOutput(taskRun);
  if (task?.sql_task) return sqlOutput(services, taskRun, task.sql_task);
  if (task?.dbt_task) {
    const [output, logs] = await Promise.all([
      toDbtOutput(services.blobs, taskRun, publicUrl),
      logsOf(services, taskRun),
    ]);
    return { ...output, ...logs };
  }
  if (kinds.includes('run_job_task')) {
    const { child_run_id: childRunId } = taskRun;
    return childRunId === null ? {} : { run_job_output: { run_id: childRunId } };
  }
  const hasNoLog = kinds.every((kind) => kind === 'condition_task' || kind === 'for_each_task');
  return task && hasNoLog ? {} : logsOf(services, taskRun);
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

async function sqlOutput(
  services: Pick<Services, 'blobs'>,
  taskRun: TaskRunView,
  task: SqlTask,
): Promise<Omit<RunOutput, 'metadata'>> {
  const folder = { runId: taskRun.run_id, attemptId: taskRun.attempt_id };
  const [document, logs] = await Promise.all([
    readNotebook(services.blobs, folder),
    logsOf(services, taskRun),
  ]);
  return { ...toSqlOutput(task, taskRun, document), ...logs };
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
