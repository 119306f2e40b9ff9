/**
 * The statement execution API, its sessions and the query history. Names as in databricks-sdk 0.162.0 (Apache-2.0), and what
 * databricks-sql-connector 4.9.0 (Apache-2.0) sends in its SEA mode; both seen in November 2026.
 */
import { z } from 'zod';
import { route } from './route.ts';
import { Nothing, wireBool, wireInt, wireIntBetween, wireText } from './wire.ts';

/** Bytes of a statement's text, as hosted. */
export const statementBytesMax = 16 * 1024 ** 2;
export const statementParametersMax = 10_000;
/** Bytes of a result that travels in the answer itself. */
export const inlineBytesMax = 25 * 1024 ** 2;
export const byteLimitMax = 100 * 1024 ** 3;

const name = z.string().min(1).max(255);
const QueryTag = z.looseObject({ key: z.string().max(255), value: z.string().max(1_000).optional() });

export const statementDispositions = ['INLINE', 'EXTERNAL_LINKS', 'INLINE_OR_EXTERNAL_LINKS'] as const;
export const statementFormats = ['JSON_ARRAY', 'ARROW_STREAM', 'CSV'] as const;

export const StatementRequest = z.looseObject({
  statement: z.string(),
  warehouse_id: z.string().max(255).default(''),
  session_id: z.string().max(100).optional(),
  catalog: name.optional(),
  schema: name.optional(),
  parameters: z
    .array(
      z.looseObject({
        name: z.string().max(255).optional(),
        ordinal: wireIntBetween({ min: 1 }).optional(),
        type: z.string().max(255).optional(),
        value: wireText.nullable().optional(),
      }),
    )
    .max(statementParametersMax)
    .optional(),
  row_limit: wireIntBetween({ min: 1 }).optional(),
  byte_limit: wireIntBetween({ min: 1, max: byteLimitMax }).optional(),
  disposition: z.enum(statementDispositions).default('INLINE'),
  format: z.enum(statementFormats).default('JSON_ARRAY'),
  wait_timeout: z.string().max(20).default('10s'),
  on_wait_timeout: z.enum(['CONTINUE', 'CANCEL']).default('CONTINUE'),
  query_tags: z.array(QueryTag).max(100).optional(),
  result_compression: z.string().optional(),
});

export const StatementColumn = z.looseObject({
  name: z.string(),
  position: z.int(),
  type_text: z.string(),
  type_name: z.string(),
  type_precision: z.int().optional(),
  type_scale: z.int().optional(),
  type_interval_type: z.string().optional(),
});

const Chunk = z.looseObject({
  chunk_index: z.int(),
  row_offset: z.int(),
  row_count: z.int(),
  byte_count: z.int(),
});

export const StatementManifest = z.looseObject({
  format: z.enum(statementFormats),
  schema: z.looseObject({ column_count: z.int(), columns: z.array(StatementColumn) }),
  total_chunk_count: z.int(),
  chunks: z.array(Chunk),
  total_row_count: z.int(),
  total_byte_count: z.int(),
  truncated: z.boolean(),
  result_compression: z.string().optional(),
});

const next = { next_chunk_index: z.int().optional(), next_chunk_internal_link: z.string().optional() };

export const StatementResult = z.looseObject({
  ...Chunk.partial().shape,
  ...next,
  data_array: z.array(z.array(z.string().nullable())).optional(),
  external_links: z
    .array(
      z.looseObject({
        ...Chunk.shape,
        ...next,
        external_link: z.string(),
        expiration: z.string(),
        http_headers: z.record(z.string(), z.string()).optional(),
      }),
    )
    .optional(),
});
export type StatementResult = z.output<typeof StatementResult>;

export const StatementDocument = z.looseObject({
  statement_id: z.string(),
  status: z.looseObject({
    state: z.enum(['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'CLOSED']),
    error: z.looseObject({ error_code: z.string(), message: z.string() }).optional(),
    sql_state: z.string().optional(),
    /** Ours: Spark's name of the error, and where in the text it stands. */
    headrace: z
      .looseObject({
        error_class: z.string().optional(),
        position: z.looseObject({ line: z.int(), column: z.int() }).optional(),
      })
      .optional(),
  }),
  manifest: StatementManifest.optional(),
  result: StatementResult.optional(),
});
export type StatementDocument = z.output<typeof StatementDocument>;

const path = '/api/2.0/sql/statements';
const StatementId = z.object({ statement_id: z.string().min(1).max(100) });

export const statementsExecute = route({
  method: 'POST',
  path,
  summary: 'Runs a SQL statement on a warehouse, and waits a while for its result.',
  request: StatementRequest,
  response: StatementDocument,
  permission: 'user',
  audit: 'statements.execute',
});

export const statementsGet = route({
  method: 'GET',
  path: `${path}/{statement_id}`,
  summary: 'Shows how far a statement is and, once it has succeeded, the first part of its result.',
  request: StatementId,
  response: StatementDocument,
  permission: 'user',
  audit: 'statements.get',
});

export const statementsCancel = route({
  method: 'POST',
  path: `${path}/{statement_id}/cancel`,
  summary: 'Cancels a statement; one that has ended stays as it is.',
  request: StatementId,
  response: Nothing,
  permission: 'user',
  audit: 'statements.cancel',
});

export const statementsClose = route({
  method: 'DELETE',
  path: `${path}/{statement_id}`,
  summary: 'Cancels a statement if need be, and forgets its result.',
  request: z.looseObject(StatementId.shape),
  response: Nothing,
  permission: 'user',
  audit: 'statements.close',
});

export const statementsResultChunk = route({
  method: 'GET',
  path: `${path}/{statement_id}/result/chunks/{chunk_index}`,
  summary: 'One part of a result, or the link to it.',
  request: z.object({
    ...StatementId.shape,
    chunk_index: wireIntBetween({ min: 0 }),
    row_offset: wireInt.optional(),
  }),
  response: StatementResult,
  permission: 'user',
  audit: 'statements.result-chunk',
});

export const statementsResultFile = route({
  method: 'GET',
  path: '/api/headrace/sql/results/{link}',
  summary: 'The bytes that a signed link opens, for whoever has it, until it expires.',
  request: z.object({ link: z.string().min(1).max(500) }),
  response: Nothing,
  kind: 'bytes',
  permission: 'open',
  audit: null,
});

export const sqlSessionsCreate = route({
  method: 'POST',
  path: '/api/2.0/sql/sessions',
  summary:
    'Opens a session: statements in it share its settings, current schema, variables and temporary views.',
  request: z.looseObject({
    warehouse_id: z.string().max(255).default(''),
    catalog: name.optional(),
    schema: name.optional(),
    session_confs: z.record(z.string(), wireText).optional(),
  }),
  response: z.looseObject({ session_id: z.string() }),
  permission: 'user',
  audit: 'sql-sessions.create',
});

export const sqlSessionsDelete = route({
  method: 'DELETE',
  path: '/api/2.0/sql/sessions/{session_id}',
  summary: 'Closes a session and cancels what runs in it.',
  request: z.looseObject({ session_id: z.string().min(1).max(100) }),
  response: Nothing,
  permission: 'user',
  audit: 'sql-sessions.delete',
});

export const queryStatuses = [
  'QUEUED',
  'STARTED',
  'COMPILING',
  'COMPILED',
  'RUNNING',
  'FINISHED',
  'FAILED',
  'CANCELED',
] as const;
export const queryHistoryLimitMax = 1_000;

/** Lists also come as one text with commas between, or as a single value. */
function listOf<Item extends z.ZodType>(each: Item) {
  const split = (value: unknown) =>
    typeof value === 'string' ? value.split(',') : typeof value === 'number' ? [value] : value;
  return z.preprocess(split, z.array(each)).optional();
}

export const queryHistoryList = route({
  method: 'GET',
  path: '/api/2.0/sql/history/queries',
  summary: 'Lists statements, the newest first: of oneself, and for administrators of all.',
  request: z.object({
    'filter_by.query_start_time_range.start_time_ms': wireInt.optional(),
    'filter_by.query_start_time_range.end_time_ms': wireInt.optional(),
    'filter_by.statement_ids': listOf(z.string()),
    'filter_by.statuses': listOf(z.enum(queryStatuses)),
    'filter_by.user_ids': listOf(wireInt),
    'filter_by.warehouse_ids': listOf(z.string()),
    include_metrics: wireBool.default(false),
    max_results: wireIntBetween({ min: 0, max: queryHistoryLimitMax }).default(0),
    page_token: z.string().default(''),
  }),
  response: z.looseObject({
    res: z.array(
      z.looseObject({
        query_id: z.string(),
        status: z.enum(queryStatuses),
        query_text: z.string(),
        user_name: z.string(),
        warehouse_id: z.string(),
      }),
    ),
    has_next_page: z.boolean(),
    next_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'query-history.list',
});
