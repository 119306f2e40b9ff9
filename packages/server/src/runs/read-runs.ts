/** One run or task run for readers, its long arrays page by page. */
import { ApiError, type RequestOf, type RunDocument, type routes } from '@headrace/api';
import type { ApiVersion } from '../context.ts';
import { cutElements } from '../http/element-pages.ts';
import { decodePageToken, ElementPosition, encodePageToken } from '../http/page-token.ts';
import type { Services } from '../services.ts';
import { getTaskRunPage } from './read-iterations.ts';
import { readRunParts } from './read-run-parts.ts';
import { type RunView, readRun, readTaskRun, readTaskRuns, type TaskRunView } from './store.ts';
import { readGenerations } from './view-store.ts';
import { pagedFields, toRunDocument, withHistory } from './wire.ts';
import { noParts } from './wire-tasks.ts';

type ReadServices = Pick<Services, 'db'>;

export async function getRunPage(
  { db }: ReadServices,
  request: RequestOf<typeof routes.runsGet>,
  context: { readonly apiVersion: ApiVersion; readonly publicUrl: string },
): Promise<RunDocument> {
  const run = await readRun(db, request.run_id);
  if (!run) {
    const found = await findTaskRun({ db }, request.run_id);
    // With this code and wording clients tell an unknown run from a wrong request.
    if (!found) throw new ApiError('INVALID_PARAMETER_VALUE', `Run ${request.run_id} does not exist.`);
    return getTaskRunPage({ db }, found, request, context);
  }
  const from = decodePageToken(request.page_token, ElementPosition)?.element ?? 0;
  const whole = await readWholeRun({ db }, run, request, context);
  if (context.apiVersion !== '2.2') return whole;
  const { document, hasMore, next } = cutElements(whole, pagedFields, from);
  return hasMore ? { ...document, next_page_token: encodePageToken({ element: next }) } : document;
}

/** All attempts of all tasks, repairs included: people and programs look for the last one themselves. */
async function readWholeRun(
  { db }: ReadServices,
  run: RunView,
  request: RequestOf<typeof routes.runsGet>,
  { publicUrl }: { readonly publicUrl: string },
): Promise<RunDocument> {
  const includeResolvedValues = request.include_resolved_values;
  const taskRuns = await readTaskRuns(db, [run.run_id]);
  const parts = (await readRunParts(db, [run], { taskRuns, includeResolvedValues })).get(run.run_id);
  const document = toRunDocument(run, taskRuns, { publicUrl, includeResolvedValues }, parts ?? noParts);
  if (!request.include_history) return document;
  const generations = await readGenerations(db, [run.run_id], { withSettings: false });
  return withHistory(document, run, generations, taskRuns);
}

export interface FoundTaskRun {
  readonly run: RunView;
  readonly taskRun: TaskRunView;
}

/** Of a task or of an iteration. */
export async function findTaskRun({ db }: ReadServices, attemptId: number): Promise<FoundTaskRun | null> {
  const taskRun = await readTaskRun(db, attemptId);
  const run = taskRun && (await readRun(db, taskRun.run_id));
  return run ? { run, taskRun } : null;
}

/** For addresses that name both: a task run is found below its own run only. */
export async function getTaskRunOf(
  services: ReadServices,
  request: { readonly run_id: number; readonly task_run_id: number },
): Promise<TaskRunView> {
  const found = await findTaskRun(services, request.task_run_id);
  if (found && found.run.run_id === request.run_id) return found.taskRun;
  throw new ApiError(
    'RESOURCE_DOES_NOT_EXIST',
    `Run ${request.run_id} has no task run ${request.task_run_id}.`,
  );
}
