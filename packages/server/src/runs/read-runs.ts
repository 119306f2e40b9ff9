/** Runs for readers: one, a page of many, and the output of a task run. */
import {
  ApiError,
  type RequestOf,
  type ResponseOf,
  type RunDocument,
  type routes,
  runsListLimitMax,
} from '@headrace/api';
import type { ApiVersion } from '../context.ts';
import { cutElements } from '../http/element-pages.ts';
import { decodePageToken, ElementPosition, encodePageToken, RowPosition } from '../http/page-token.ts';
import type { Services } from '../services.ts';
import { listRunViews, type RunView, readRun, readTaskRun, readTaskRuns, type TaskRunView } from './store.ts';
import { toRunDocument, toTaskRunDocument, type WireOptions } from './wire.ts';

type ReadServices = Pick<Services, 'db'>;

const pagedFields = ['tasks', 'job_clusters', 'job_parameters'];

export async function getRunPage(
  { db }: ReadServices,
  request: RequestOf<typeof routes.runsGet>,
  { apiVersion, publicUrl }: { readonly apiVersion: ApiVersion; readonly publicUrl: string },
): Promise<RunDocument> {
  const from = decodePageToken(request.page_token, ElementPosition)?.element ?? 0;
  const options: WireOptions = { publicUrl, includeResolvedValues: request.include_resolved_values };
  const run = await readRun(db, request.run_id);
  if (!run) {
    const found = await findTaskRun({ db }, request.run_id);
    // With this code and wording clients tell an unknown run from a wrong request.
    if (!found) throw new ApiError('INVALID_PARAMETER_VALUE', `Run ${request.run_id} does not exist.`);
    return toTaskRunDocument(found.run, found.taskRun, options);
  }
  const whole = toRunDocument(run, await readTaskRuns(db, [run.run_id]), options);
  if (apiVersion !== '2.2') return whole;
  const { document, hasMore, next } = cutElements(whole, pagedFields, from);
  return hasMore ? { ...document, next_page_token: encodePageToken({ element: next }) } : document;
}

export async function findTaskRun(
  { db }: ReadServices,
  attemptId: number,
): Promise<{ run: RunView; taskRun: TaskRunView } | null> {
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

export async function listRunPage(
  { db }: Pick<Services, 'db'>,
  request: RequestOf<typeof routes.runsList>,
  { apiVersion, publicUrl }: { readonly apiVersion: ApiVersion; readonly publicUrl: string },
): Promise<ResponseOf<typeof routes.runsList>> {
  if (request.active_only && request.completed_only) {
    throw new ApiError('INVALID_PARAMETER_VALUE', 'active_only and completed_only exclude each other');
  }
  const limit = request.limit === 0 ? runsListLimitMax : request.limit;
  const after = decodePageToken(request.page_token, RowPosition);
  const runType = request.run_type;
  if (runType === 'WORKFLOW_RUN') return { has_more: false };
  const rows = await listRunViews(db, {
    jobId: request.job_id ?? null,
    phase: request.active_only ? 'active' : request.completed_only ? 'completed' : null,
    runType: runType ?? null,
    createdFromMs: request.start_time_from ?? null,
    createdToMs: request.start_time_to ?? null,
    after,
    offset: after ? 0 : request.offset,
    limit: limit + 1,
  });
  const page = rows.slice(0, limit);
  const taskRuns = request.expand_tasks
    ? await readTaskRuns(
        db,
        page.map((run) => run.run_id),
      )
    : [];
  const byRun = Map.groupBy(taskRuns, (taskRun) => taskRun.run_id);
  const runs = page.map((run) => {
    const document = toRunDocument(run, request.expand_tasks ? (byRun.get(run.run_id) ?? []) : null, {
      publicUrl,
    });
    return apiVersion === '2.2' ? cut(document) : document;
  });
  const last = page.at(-1);
  const hasMore = rows.length > limit;
  return {
    ...(runs.length > 0 ? { runs } : {}),
    has_more: hasMore,
    ...(hasMore && last
      ? { next_page_token: encodePageToken({ createdAtMs: last.created_at_ms, id: last.run_id }) }
      : {}),
  };
}

function cut(run: RunDocument): RunDocument {
  const { document, hasMore } = cutElements(run, pagedFields, 0);
  return hasMore ? { ...document, has_more: true } : document;
}
