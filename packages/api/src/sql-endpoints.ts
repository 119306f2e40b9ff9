/**
 * What the process that runs statements, the SQL endpoint of a warehouse, says to its server. Its token is that of its own
 * attempt, and opens these for its own warehouse and principal alone.
 */
import { z } from 'zod';
import { route } from './route.ts';
import { Nothing } from './wire.ts';

const statementId = z.string().min(1).max(100);
/** Base64 of a part of a result. */
const content = z.string();

/** What the endpoint needs for one statement. */
export const EndpointStatement = z.looseObject({
  statement_id: z.string(),
  statement: z.string(),
  parameters: z.array(
    z.object({ name: z.string().nullable(), type: z.string(), value: z.string().nullable() }),
  ),
  session: z
    .object({
      session_id: z.string(),
      catalog: z.string().nullable(),
      schema: z.string().nullable(),
      conf: z.record(z.string(), z.string()),
    })
    .nullable(),
  catalog: z.string().nullable(),
  schema: z.string().nullable(),
  row_limit: z.int().nullable(),
  byte_limit: z.int().nullable(),
  /** A larger result fails it. */
  bytes_max: z.int(),
  format: z.string(),
  complex_as_text: z.boolean(),
  timeout_ms: z.int().nullable(),
});
export type EndpointStatement = z.output<typeof EndpointStatement>;

export const sqlEndpointPoll = route({
  method: 'POST',
  path: '/api/headrace/sql/endpoint/poll',
  summary: 'Waits for statements to run, and for those to cancel.',
  request: z.object({
    /** Of this process's questions, each higher than the one before. */
    poll: z.int().min(0),
    /** Statements that it has, and has not got rid of. */
    held: z.array(statementId).max(1_000),
    cancelling: z.array(statementId).max(1_000),
    /** Statements that it runs at the same time. */
    room: z.int().min(0).max(1_000),
    /** Left out where they have not been compared for a while. */
    sessions: z.array(z.string().max(100)).max(10_000).optional(),
    wait_ms: z.int().min(0).max(60_000),
  }),
  response: z.looseObject({
    statements: z.array(EndpointStatement),
    cancel: z.array(z.string()),
    close_sessions: z.array(z.string()),
    catalogs: z.array(z.string()),
    default_catalog: z.string(),
    /** Nothing more will come: it ends when it has nothing to do. */
    retire: z.boolean(),
  }),
  permission: 'task',
  audit: null,
});

export const EndpointError = z.object({
  code: z.string(),
  message: z.string(),
  sql_state: z.string().nullable(),
  error_class: z.string().nullable(),
  position: z.object({ line: z.int(), column: z.int() }).nullable(),
});

const DeliveredChunk = z.object({
  row_count: z.int().min(0),
  byte_count: z.int().min(0),
  /** Null: it was sent before. */
  content: content.nullable(),
});

export const DeliveredResult = z.object({
  columns: z.array(
    z.object({
      name: z.string(),
      position: z.int(),
      type_text: z.string(),
      type_name: z.string(),
      precision: z.int().nullable(),
      scale: z.int().nullable(),
      interval_type: z.string().nullable(),
      nullable: z.boolean(),
    }),
  ),
  arrow_schema: content,
  total_rows: z.int().min(0),
  total_bytes: z.int().min(0),
  truncated: z.boolean(),
  chunks: z.array(DeliveredChunk).min(1),
});
export type DeliveredResult = z.output<typeof DeliveredResult>;

export const sqlEndpointDeliver = route({
  method: 'POST',
  path: '/api/headrace/sql/endpoint/deliver',
  summary: 'How a statement ended, with its result; told again, it changes nothing.',
  request: z.object({
    statement_id: statementId,
    state: z.enum(['SUCCEEDED', 'FAILED', 'CANCELED']),
    result: DeliveredResult.optional(),
    error: EndpointError.optional(),
    timings: z.record(z.string(), z.number()),
  }),
  response: Nothing,
  permission: 'task',
  audit: null,
});

export const sqlEndpointChunk = route({
  method: 'POST',
  path: '/api/headrace/sql/endpoint/chunk',
  summary: 'A part of a result that is too large to go with its end.',
  request: z.object({ statement_id: statementId, index: z.int().min(0), content }),
  response: Nothing,
  permission: 'task',
  audit: null,
});
