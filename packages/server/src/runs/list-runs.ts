/** A page of runs, newest first. */
import {
  ApiError,
  type RequestOf,
  type ResponseOf,
  type RunDocument,
  type routes,
  runsListLimitMax,
} from '@headrace/api';
import { z } from 'zod';
import type { ApiVersion } from '../context.ts';
import { cutElements } from '../http/element-pages.ts';
import { decodePageToken, encodePageToken, RowPosition } from '../http/page-token.ts';
import type { Services } from '../services.ts';
import { listRunViews, type RunsFilter } from './list-store.ts';
import { readRunParts } from './read-run-parts.ts';
import { type RunView, readTaskRuns } from './store.ts';
import { pagedFields, toRunDocument } from './wire.ts';

const RunPosition = RowPosition.extend({ direction: z.enum(['older', 'newer']).default('older') });
type RunPosition = z.output<typeof RunPosition>;

export async function listRunPage(
  services: Pick<Services, 'db'>,
  request: RequestOf<typeof routes.runsList>,
  { apiVersion, publicUrl }: { readonly apiVersion: ApiVersion; readonly publicUrl: string },
): Promise<ResponseOf<typeof routes.runsList>> {
  if (request.active_only && request.completed_only) {
    throw new ApiError('INVALID_PARAMETER_VALUE', 'active_only and completed_only exclude each other');
  }
  const limit = request.limit === 0 ? runsListLimitMax : request.limit;
  const beside = decodePageToken(request.page_token, RunPosition);
  const filter = toFilter(request, { beside, limit });
  const rows = filter ? await listRunViews(services.db, filter) : [];
  const page = beside?.direction === 'newer' ? rows.slice(-limit) : rows.slice(0, limit);
  const documents = await toDocuments(services, page, {
    withTasks: request.expand_tasks,
    publicUrl,
  });
  const runs = apiVersion === '2.2' ? documents.map(cut) : documents;
  return { ...(runs.length > 0 ? { runs } : {}), ...toLinks(page, { hasMore: rows.length > limit, beside }) };
}

/** Null where nothing can be found. */
function toFilter(
  request: RequestOf<typeof routes.runsList>,
  { beside, limit }: { readonly beside: RunPosition | null; readonly limit: number },
): RunsFilter | null {
  const { run_type: runType } = request;
  if (runType === 'WORKFLOW_RUN') return null;
  // Runs of a job were not submitted: all of them would be looked through in vain.
  if (runType === 'SUBMIT_RUN' && request.job_id !== undefined) return null;
  return {
    jobId: request.job_id ?? null,
    phase: request.active_only ? 'active' : request.completed_only ? 'completed' : null,
    // Said by the job already.
    runType: request.job_id === undefined ? (runType ?? null) : null,
    createdFromMs: request.start_time_from ?? null,
    createdToMs: request.start_time_to ?? null,
    beside,
    offset: beside ? 0 : request.offset,
    limit: limit + 1,
    withSettings: request.expand_tasks,
  };
}

async function toDocuments(
  { db }: Pick<Services, 'db'>,
  page: readonly RunView[],
  { withTasks, publicUrl }: { readonly withTasks: boolean; readonly publicUrl: string },
): Promise<RunDocument[]> {
  const runIds = page.map((run) => run.run_id);
  const taskRuns = withTasks && page.length > 0 ? await readTaskRuns(db, runIds) : [];
  const parts = await readRunParts(db, page, { taskRuns, withSettings: withTasks });
  const byRun = Map.groupBy(taskRuns, (taskRun) => taskRun.run_id);
  return page.map((run) => {
    const ofRun = withTasks ? (byRun.get(run.run_id) ?? []) : null;
    return toRunDocument(run, ofRun, { publicUrl }, parts.get(run.run_id));
  });
}

function toLinks(
  page: readonly RunView[],
  { hasMore, beside }: { readonly hasMore: boolean; readonly beside: RunPosition | null },
): Pick<ResponseOf<typeof routes.runsList>, 'has_more' | 'next_page_token' | 'prev_page_token'> {
  const first = page[0];
  const last = page.at(-1);
  const isBack = beside?.direction === 'newer';
  // Whoever came back came from an older page; whoever came by a token came from a newer one.
  const hasOlder = isBack ? last !== undefined : hasMore;
  const hasNewer = isBack ? hasMore : beside !== null && first !== undefined;
  return {
    has_more: hasOlder,
    ...(hasOlder && last ? { next_page_token: encodePageToken({ ...positionOf(last) }) } : {}),
    ...(hasNewer && first
      ? { prev_page_token: encodePageToken({ ...positionOf(first), direction: 'newer' }) }
      : {}),
  };
}

function positionOf(run: RunView) {
  return { createdAtMs: run.created_at_ms, id: run.run_id };
}

function cut(run: RunDocument): RunDocument {
  const { document, hasMore } = cutElements(run, pagedFields, 0);
  return hasMore ? { ...document, has_more: true } : document;
}
