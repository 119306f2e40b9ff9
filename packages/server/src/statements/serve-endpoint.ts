/**
 * What a SQL endpoint is told, and tells. Each question counts up, and says what the endpoint has: a statement that was given
 * with an earlier one and is not among them got lost on its way and is given again, to the same process, which has not
 * seen it. To no other is it ever given.
 */
import {
  ApiError,
  type EndpointStatement,
  type RequestOf,
  type ResponseOf,
  type routes,
} from '@headrace/api';
import { toDescribeQuery } from '../alerts/read-create-alert.ts';
import type { Services } from '../services.ts';
import type { Bell } from './bell.ts';
import { describedName, endWithAlert } from './end-with-alert.ts';
import { type EndpointRow, findEndpointOfAttempt, noteReady } from './endpoint-store.ts';
import type { EndpointWatch } from './endpoint-watch.ts';
import * as limits from './limits.ts';
import { keepChunk } from './result-chunks.ts';
import type { StoredManifest } from './rows.ts';
import { bindSessions, findClosed, type SessionRow } from './session-store.ts';
import {
  endStatement,
  findGiven,
  type GivenRow,
  giveAgain,
  giveStatements,
  isGiven,
  type StatementEnd,
} from './store.ts';

export interface EndpointServices extends Pick<Services, 'db' | 'clock' | 'blobs' | 'config'> {
  readonly bell: Bell;
  readonly watch: EndpointWatch;
  readonly listCatalogNames: () => Promise<readonly string[]>;
  /** How long another server's news may take to be seen here. */
  readonly lookEveryMs: number;
}

type Poll = RequestOf<typeof routes.sqlEndpointPoll>;
type PollAnswer = ResponseOf<typeof routes.sqlEndpointPoll>;
type Delivery = RequestOf<typeof routes.sqlEndpointDeliver>;

type ServingEndpoint = EndpointRow & { readonly runId: number };

/** Which endpoint asks; whoever is none, or has been replaced, is refused and ends. */
export async function requireEndpoint(
  { db }: Pick<Services, 'db'>,
  attemptId: number | null,
): Promise<ServingEndpoint> {
  const row = attemptId === null ? null : await findEndpointOfAttempt(db, attemptId);
  if (row === null || row.runId === null)
    throw new ApiError('PERMISSION_DENIED', 'this is no SQL endpoint of a warehouse, or no longer one');
  return { ...row, runId: row.runId };
}

export function bellName({
  warehouseId,
  principalId,
}: Pick<EndpointRow, 'warehouseId' | 'principalId'>): string {
  return `endpoint ${warehouseId} ${principalId}`;
}

export async function answerPoll(
  services: EndpointServices,
  endpoint: ServingEndpoint,
  request: Poll,
  signal: AbortSignal,
): Promise<PollAnswer> {
  const { db, clock, bell, lookEveryMs } = services;
  const deadlineMs = performance.now() + request.wait_ms;
  services.watch.add(endpoint.runId);
  if (endpoint.readyAtMs === null) await noteReady(db, endpoint.runId, clock.nowMs());
  const closed = request.sessions ? await findClosed(db, endpoint.runId, request.sessions) : [];
  const retire = clock.nowMs() - endpoint.createdAtMs > limits.endpointAgeMs;
  // Before the first look, so that nothing is missed in between.
  const ear = bell.listen(bellName(endpoint));
  try {
    for (;;) {
      const found = await lookForWork(services, endpoint, { ...request, room: retire ? 0 : request.room });
      const leftMs = deadlineMs - performance.now();
      const isNews = found.statements.length + found.cancel.length + closed.length > 0;
      if (isNews || retire || leftMs <= 0 || signal.aborted) {
        const catalogs = [...(await services.listCatalogNames())];
        const { defaultCatalog: default_catalog } = services.config;
        return { ...found, close_sessions: closed, catalogs, default_catalog, retire };
      }
      await ear.wait(Math.min(leftMs, lookEveryMs), signal);
    }
  } finally {
    ear.close();
  }
}

async function lookForWork(
  { db, clock, bell }: EndpointServices,
  { runId, warehouseId, principalId }: ServingEndpoint,
  { poll, held, cancelling, room }: Poll,
): Promise<Pick<PollAnswer, 'statements' | 'cancel'>> {
  const given = await findGiven(db, runId);
  const isHeld = new Set(held);
  const lost = given.filter((each) => !isHeld.has(each.statementId) && each.givenPoll < poll);
  const isKnown = new Set(cancelling);
  const cancel = given
    .filter(
      (each) => each.isCancelRequested && isHeld.has(each.statementId) && !isKnown.has(each.statementId),
    )
    .map(({ statementId }) => statementId);
  const again =
    lost.length === 0
      ? []
      : await giveAgain(db, { runId, poll, statementIds: lost.map(({ statementId }) => statementId) });
  const left = room - given.length;
  const nowMs = clock.nowMs();
  const { runningMax } = limits;
  const fresh =
    left <= 0
      ? []
      : await giveStatements(db, { warehouseId, principalId, runId, poll, room: left, runningMax, nowMs });
  for (const { statementId } of fresh) bell.ring(`statement ${statementId}`);
  const statements = await withSessions({ db, clock, bell }, runId, [...again, ...fresh]);
  return { statements, cancel };
}

/** Those whose session has been closed meanwhile end here. */
async function withSessions(
  { db, clock, bell }: Pick<EndpointServices, 'db' | 'clock' | 'bell'>,
  runId: number,
  rows: readonly GivenRow[],
): Promise<EndpointStatement[]> {
  const ids = rows.flatMap(({ sessionId }) => (sessionId === null ? [] : [sessionId]));
  const sessions = ids.length === 0 ? [] : await bindSessions(db, ids, runId);
  const byId = new Map(sessions.map((session) => [session.sessionId, session]));
  const statements: EndpointStatement[] = [];
  for (const row of rows) {
    const session = row.sessionId === null ? null : byId.get(row.sessionId);
    if (session !== undefined) {
      statements.push(toEndpointStatement(row, session));
      continue;
    }
    const { statementId } = row;
    const error = {
      ...{ code: 'BAD_REQUEST', message: `Session ${row.sessionId} was closed before the statement ran.` },
      ...{ sql_state: '08003', error_class: null, position: null },
    };
    const nothing = { manifest: null, timings: null, resultUntilMs: null, chunks: [] };
    await endStatement(db, runId, { statementId, state: 'FAILED', error, ...nothing, nowMs: clock.nowMs() });
    bell.ring(`statement ${statementId}`);
  }
  return statements;
}

function toEndpointStatement(
  { statementId, statement, request }: GivenRow,
  session: SessionRow | null,
): EndpointStatement {
  return {
    statement_id: statementId,
    statement: request.alert ? toDescribeQuery(statement) : statement,
    parameters: request.parameters.map(({ name, type, value }) => ({ name, type, value })),
    session: session && {
      session_id: session.sessionId,
      catalog: session.catalog,
      schema: session.schema,
      conf: { ...session.conf },
    },
    catalog: request.catalog,
    schema: request.schema,
    row_limit: request.rowLimit,
    byte_limit: request.byteLimit,
    bytes_max: request.bytesMax,
    format: request.format,
    complex_as_text: request.complexAsText,
    timeout_ms: request.timeoutMs,
  };
}

export async function acceptChunk(
  services: EndpointServices,
  { runId }: ServingEndpoint,
  { statement_id: statementId, index, content }: RequestOf<typeof routes.sqlEndpointChunk>,
): Promise<void> {
  // One that was cancelled with its endpoint, or forgotten, keeps nothing.
  if (!(await isGiven(services.db, runId, statementId))) return;
  await keepChunk(services, { statementId, index, content: Buffer.from(content, 'base64') });
}

export async function acceptEnd(
  { db, clock, bell }: EndpointServices,
  endpoint: ServingEndpoint,
  { statement_id: statementId, state, result, error, timings }: Delivery,
): Promise<void> {
  const nowMs = clock.nowMs();
  const hasResult = state === 'SUCCEEDED' && result !== undefined;
  const small = (result?.chunks ?? []).flatMap(({ content }, index) =>
    content === null ? [] : [{ index, content: Buffer.from(content, 'base64') }],
  );
  const end: StatementEnd = {
    statementId,
    state,
    error: error ?? null,
    manifest: hasResult ? toManifest(result) : null,
    timings,
    nowMs,
    resultUntilMs: hasResult ? nowMs + limits.resultKeptMs : null,
    chunks: hasResult ? small : [],
  };
  const isDescription = hasResult && result.columns[0]?.name === describedName;
  if (!isDescription || !(await endWithAlert(db, endpoint.runId, end)))
    await endStatement(db, endpoint.runId, end);
  bell.ring(`statement ${statementId}`);
  // There is room for another one.
  bell.ring(bellName(endpoint));
}

function toManifest({
  columns,
  arrow_schema,
  total_rows,
  total_bytes,
  truncated,
  chunks,
}: NonNullable<Delivery['result']>): StoredManifest {
  return {
    ...{ columns, arrow_schema, total_rows, total_bytes, truncated },
    chunks: chunks.map(({ row_count: rows, byte_count: bytes, content }) => ({
      ...{ rows, bytes },
      ...(content === null ? ({ isBlob: true } as const) : {}),
    })),
  };
}
