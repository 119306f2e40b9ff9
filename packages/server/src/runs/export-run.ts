/** The notebook of a task run as a page of HTML. */
import { ApiError, type RequestOf, type ResponseOf, type routes } from '@headrace/api';
import type { Services } from '../services.ts';
import { readNotebook } from './attempt-files.ts';
import { toNotebookHtml } from './export-html.ts';
import { findTaskRun } from './read-runs.ts';
import { readRun, readTaskRuns, type TaskRunView } from './store.ts';
import { findWrittenTask } from './wire-tasks.ts';

type Exported = ResponseOf<typeof routes.runsExport>;

export async function exportRun(
  services: Pick<Services, 'db' | 'blobs'>,
  { run_id: runId, views_to_export: wanted }: RequestOf<typeof routes.runsExport>,
): Promise<Exported> {
  const { taskRun, path } = await findNotebookRun(services, runId);
  // A dashboard belongs to a notebook's own page on hosted workspaces; here there are none.
  if (wanted === 'DASHBOARDS') return { views: [] };
  const notebook = await readNotebook(services.blobs, {
    runId: taskRun.run_id,
    attemptId: taskRun.attempt_id,
  });
  if (!notebook) {
    throw new ApiError(
      'INVALID_STATE',
      `Run ${taskRun.attempt_id} has no notebook output to export; it may not have begun.`,
    );
  }
  const name = path.split('/').findLast((segment) => segment !== '') ?? path;
  return { views: [{ name, type: 'NOTEBOOK', content: toNotebookHtml(notebook, name) }] };
}

async function findNotebookRun(
  services: Pick<Services, 'db'>,
  runId: number,
): Promise<{ readonly taskRun: TaskRunView; readonly path: string }> {
  const found = await findTaskRun(services, await taskRunIdOf(services, runId));
  if (!found) throw new ApiError('INVALID_PARAMETER_VALUE', `Run ${runId} does not exist.`);
  const path = findWrittenTask(found.run.settings, found.taskRun.task_key)?.notebook_task?.notebook_path;
  if (path !== undefined) return { taskRun: found.taskRun, path };
  throw new ApiError(
    'INVALID_STATE',
    `Run ${runId} ran no notebook: only runs of notebook tasks can be exported.`,
  );
}

/** Of a run with one task, the last attempt of that task; of any other id, the id. */
async function taskRunIdOf({ db }: Pick<Services, 'db'>, runId: number): Promise<number> {
  if (!(await readRun(db, runId))) return runId;
  const taskRuns = await readTaskRuns(db, [runId]);
  const keys = new Set(taskRuns.map((taskRun) => taskRun.task_key));
  const last = taskRuns.at(-1);
  if (keys.size === 1 && last) return last.attempt_id;
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    'Exporting runs with multiple tasks is not supported. Please export each individual task run instead.',
  );
}
