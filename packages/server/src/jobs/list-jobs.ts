/** Lists of jobs, and one job whose long arrays come page by page. */
import { ApiError, type JobDocument, type RequestOf, type ResponseOf, type routes } from '@headrace/api';
import type { ApiVersion } from '../context.ts';
import type { Database } from '../db/connect.ts';
import { cutElements } from '../http/element-pages.ts';
import { decodePageToken, ElementPosition, encodePageToken, RowPosition } from '../http/page-token.ts';
import { listJobRows, readJob } from './store.ts';
import { toJobDocument } from './wire.ts';

/** The arrays of a settings document that clients page through. */
const pagedFields = ['tasks', 'job_clusters', 'parameters', 'environments'];
const unexpandedFields = ['tasks', 'job_clusters', 'environments', 'parameters'];

export async function getJobPage(
  db: Database,
  request: { readonly jobId: number; readonly pageToken: string; readonly apiVersion: ApiVersion },
): Promise<JobDocument> {
  const from = decodePageToken(request.pageToken, ElementPosition)?.element ?? 0;
  const row = await readJob(db, request.jobId);
  // With this code and wording clients tell an unknown job from a wrong request.
  if (!row) throw new ApiError('INVALID_PARAMETER_VALUE', `Job ${request.jobId} does not exist.`);
  const job = toJobDocument(row);
  if (request.apiVersion !== '2.2') return job;
  const { document, hasMore, next } = cutElements(job.settings, pagedFields, from);
  return {
    ...job,
    settings: document,
    ...(hasMore ? { next_page_token: encodePageToken({ element: next }) } : {}),
  };
}

export async function listJobPage(
  db: Database,
  request: RequestOf<typeof routes.jobsList>,
  apiVersion: ApiVersion,
): Promise<ResponseOf<typeof routes.jobsList>> {
  const after = decodePageToken(request.page_token, RowPosition);
  const rows = await listJobRows(db, {
    name: request.name ?? null,
    after,
    offset: after ? 0 : request.offset,
    limit: request.limit + 1,
  });
  const page = rows.slice(0, request.limit);
  const last = page.at(-1);
  const hasMore = rows.length > request.limit;
  return {
    ...(page.length > 0
      ? { jobs: page.map((row) => toListed(toJobDocument(row), request.expand_tasks, apiVersion)) }
      : {}),
    has_more: hasMore,
    ...(hasMore && last
      ? { next_page_token: encodePageToken({ createdAtMs: last.created_at_ms, id: last.job_id }) }
      : {}),
  };
}

function toListed(job: JobDocument, isExpanded: boolean, apiVersion: ApiVersion): JobDocument {
  if (!isExpanded) {
    const shown = Object.entries(job.settings).filter(([name]) => !unexpandedFields.includes(name));
    return { ...job, settings: Object.fromEntries(shown) };
  }
  if (apiVersion !== '2.2') return job;
  const { document, hasMore } = cutElements(job.settings, pagedFields, 0);
  return { ...job, settings: document, ...(hasMore ? { has_more: true } : {}) };
}
