/** The query history: what ran, whose it was, and how it went. */
import { queryHistoryLimitMax, type RequestOf, type ResponseOf, type routes } from '@headrace/api';
import { z } from 'zod';
import type { Principal } from '../context.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import type { Services } from '../services.ts';
import { listHistory } from './history-store.ts';
import type { StatementState } from './ports.ts';
import type { HistoryRow } from './rows.ts';

type Request = RequestOf<typeof routes.queryHistoryList>;
type QueryInfo = ResponseOf<typeof routes.queryHistoryList>['res'][number];
type Status = QueryInfo['status'];

const Position = z.object({ createdAtMs: z.int(), statementId: z.string() });
const pageSizeDefault = 100;

const statusOf = {
  PENDING: 'QUEUED',
  RUNNING: 'RUNNING',
  SUCCEEDED: 'FINISHED',
  CLOSED: 'FINISHED',
  FAILED: 'FAILED',
  CANCELED: 'CANCELED',
} as const satisfies Record<StatementState, Status>;

export async function listQueries(
  { db }: Pick<Services, 'db'>,
  request: Request,
  principal: Principal,
): Promise<ResponseOf<typeof routes.queryHistoryList>> {
  const limit = Math.min(queryHistoryLimitMax, request.max_results || pageSizeDefault);
  const wantedIds = request['filter_by.user_ids'] ?? null;
  const statuses = request['filter_by.statuses'];
  const found = await listHistory(db, {
    principalIds: principal.isAdmin
      ? wantedIds
      : [principal.id].filter((id) => wantedIds?.includes(id) ?? true),
    warehouseIds: request['filter_by.warehouse_ids'] ?? null,
    statementIds: request['filter_by.statement_ids'] ?? null,
    states: statuses === undefined ? null : toStates(statuses),
    createdFromMs: request['filter_by.query_start_time_range.start_time_ms'] ?? null,
    createdToMs: request['filter_by.query_start_time_range.end_time_ms'] ?? null,
    after: decodePageToken(request.page_token, Position),
    limit: limit + 1,
  });
  const rows = found.slice(0, limit);
  const res = rows.map((row) => toQueryInfo(row, { withMetrics: request.include_metrics }));
  const last = found.length > limit ? rows.at(-1) : undefined;
  if (!last) return { res, has_next_page: false };
  const { createdAtMs, statementId } = last;
  return { res, has_next_page: true, next_page_token: encodePageToken({ createdAtMs, statementId }) };
}

function toStates(statuses: readonly Status[]): StatementState[] {
  const states = Object.keys(statusOf) as StatementState[]; // `satisfies` says that these are its keys.
  return states.filter((state) => statuses.includes(statusOf[state]));
}

function toQueryInfo(row: HistoryRow, { withMetrics }: { readonly withMetrics: boolean }): QueryInfo {
  const { createdAtMs, endedAtMs, source, timings } = row;
  const status = statusOf[row.state];
  const isFinal = endedAtMs !== null;
  const durationMs = isFinal ? endedAtMs - createdAtMs : null;
  return {
    query_id: row.statementId,
    lookup_key: row.statementId,
    status,
    query_text: row.statement,
    statement_type: row.kind,
    query_start_time_ms: createdAtMs,
    ...(isFinal && { execution_end_time_ms: endedAtMs, query_end_time_ms: endedAtMs }),
    ...(durationMs !== null && { duration: durationMs }),
    user_id: row.principalId,
    user_name: row.userName,
    executed_as_user_id: row.principalId,
    executed_as_user_name: row.userName,
    warehouse_id: row.warehouseId,
    endpoint_id: row.warehouseId,
    channel_used: { name: 'CHANNEL_NAME_CURRENT' },
    ...(row.sessionId !== null && { session_id: row.sessionId }),
    ...(row.rowsProduced !== null && { rows_produced: row.rowsProduced }),
    ...(row.error !== null && { error_message: row.error.message }),
    ...(source.application !== null && { client_application: source.application }),
    ...(source.tags && { query_tags: [...source.tags] }),
    query_source: sourceOf(row),
    is_final: isFinal,
    plans_state: 'UNKNOWN',
    ...(withMetrics && {
      metrics: {
        ...(durationMs !== null && { total_time_ms: durationMs }),
        ...(timings?.execution_ms !== undefined && { execution_time_ms: Math.round(timings.execution_ms) }),
        ...(timings?.fetch_ms !== undefined && { result_fetch_time_ms: Math.round(timings.fetch_ms) }),
        ...(row.rowsProduced !== null && { rows_produced_count: row.rowsProduced }),
        overloading_queue_start_timestamp: createdAtMs,
        ...(row.givenAtMs !== null && { query_compilation_start_timestamp: row.givenAtMs }),
      },
    }),
  };
}

function sourceOf({ source: { jobId, runId, taskRunId, queryId } }: HistoryRow): Record<string, unknown> {
  return {
    ...(queryId !== undefined && { sql_query_id: queryId }),
    ...((runId ?? taskRunId) !== undefined && {
      job_info: {
        ...(jobId !== undefined && { job_id: String(jobId) }),
        ...(runId !== undefined && { job_run_id: String(runId) }),
        ...(taskRunId !== undefined && { job_task_run_id: String(taskRunId) }),
      },
    }),
  };
}
