/** The statement engine: the port's functions over rows, each refusing what is another's as if it were not there. */
import crypto from 'node:crypto';
import { ApiError, statementBytesMax } from '@headrace/api';
import { readCreateAlert } from '../alerts/read-create-alert.ts';
import { refuseTakenName } from '../alerts/save-alert.ts';
import type { Principal } from '../context.ts';
import type { RunServices } from '../runs/create-run.ts';
import { resolveWarehouse } from '../warehouses/resolve-warehouse.ts';
import type { Bell } from './bell.ts';
import { ensureEndpoint } from './endpoints.ts';
import * as limits from './limits.ts';
import type { NewSession, NewStatement, StatementEngine, StatementError, StatementStatus } from './ports.ts';
import { discardChunks, readLargeChunk } from './result-chunks.ts';
import type { StatementOrder, StatementRow, StoredError, StoredManifest } from './rows.ts';
import { bellName } from './serve-endpoint.ts';
import { deleteSession, insertSession, type SessionRow, useSession } from './session-store.ts';
import { kindOf } from './statement-kind.ts';
import {
  findOfSession,
  findStatement,
  forgetResults,
  insertStatement,
  readSmallChunk,
  renewResult,
  requestCancel,
} from './store.ts';

export interface EngineServices extends RunServices {
  readonly bell: Bell;
  /** How long another server's news may take to be seen here. */
  readonly lookEveryMs: number;
  /** Makes the loop look soon that brings up the endpoints that are missing. */
  readonly serveSoon: () => void;
}

export function createStatementEngine(services: EngineServices): StatementEngine & StatementReader {
  return {
    openSession: (session) => openSession(services, session),
    closeSession: (sessionId, principal) => closeSession(services, sessionId, principal),
    execute: (statement) => execute(services, statement),
    waitFor: async (statementId, principal, timeoutMs, signal) =>
      toStatus(await waitForEnd(services, { statementId, principal, timeoutMs, signal })),
    readChunk: (statementId, index, principal) => readChunk(services, statementId, index, principal),
    cancel: (statementId, principal) => cancelStatement(services, statementId, principal),
    close: (statementId, principal) => closeStatement(services, statementId, principal),
    find: (statementId, principal) => requireStatement(services, statementId, principal),
    readAnyChunk: (statementId, index) => readAnyChunk(services, statementId, index),
  };
}

/** For this folder's own handlers. */
export interface StatementReader {
  find(statementId: string, principal: Principal): Promise<StatementRow>;
  /** Whoever has a signed link may. */
  readAnyChunk(statementId: string, index: number): Promise<{ row: StatementRow; content: Uint8Array }>;
}

async function openSession(services: EngineServices, session: NewSession): Promise<string> {
  const { warehouseId } = await requireWarehouse(services, session.warehouseId);
  const sessionId = crypto.randomUUID();
  const { sessionsMax } = limits;
  const isNew = await insertSession(services.db, {
    ...{ sessionId, warehouseId, principalId: session.principal.id },
    ...{ catalog: session.catalog ?? null, schema: session.schema ?? null, conf: session.conf ?? {} },
    ...{ nowMs: services.clock.nowMs(), sessionsMax, taskRunId: session.taskRunId ?? null },
  });
  if (isNew) return sessionId;
  throw new ApiError(
    'RESOURCE_LIMIT_EXCEEDED',
    `${session.principal.userName} has ${sessionsMax} open sessions on SQL warehouse ${warehouseId}, which is the limit: close some`,
  );
}

async function closeSession(
  services: EngineServices,
  sessionId: string,
  principal: Principal,
): Promise<void> {
  const gone = await deleteSession(services.db, sessionId, principal.isAdmin ? null : principal.id);
  if (gone === null) return;
  for (const statementId of await findOfSession(services.db, sessionId))
    await cancelStatement(services, statementId, principal);
}

async function requireWarehouse(services: EngineServices, warehouseId: string) {
  const found = await resolveWarehouse(services, warehouseId);
  if ('code' in found) throw new ApiError('RESOURCE_DOES_NOT_EXIST', found.message);
  return found;
}

async function execute(services: EngineServices, order: NewStatement): Promise<string> {
  const { db, clock, bell } = services;
  const { principal, sessionId, statement } = order;
  refuseText(statement);
  const nowMs = clock.nowMs();
  const session =
    sessionId === null ? null : await useSession(db, sessionId, { principalId: principal.id, nowMs });
  if (sessionId !== null && session === null) throw noSuchSession(sessionId);
  const warehouse = await requireWarehouse(services, session?.warehouseId ?? order.warehouseId);
  const { warehouseId, clusterId, statementTimeoutMs } = warehouse;
  const alert = await readAlert(services, order, session);
  const statementId = crypto.randomUUID();
  const row = {
    ...{
      statementId,
      warehouseId,
      principalId: principal.id,
      userName: principal.userName,
      sessionId,
      statement,
    },
    ...{ request: { ...toOrder(order, statementTimeoutMs), ...alert }, source: order.source },
    ...{ kind: kindOf(statement), nowMs },
    pendingMax: limits.pendingMax,
  };
  if (!(await insertStatement(db, row)))
    throw new ApiError(
      'REQUEST_LIMIT_EXCEEDED',
      `${limits.pendingMax} statements wait on SQL warehouse ${warehouseId}, which is the limit: send fewer at once`,
    );
  bell.ring(bellName({ warehouseId, principalId: principal.id }));
  await ensureEndpoint(services, { warehouseId, clusterId, principal }).catch((err: unknown) => {
    // It is recorded and will run: whoever heard of an error would send it again, and it would run twice.
    services.log.warn(
      { err, warehouse_id: warehouseId },
      'cannot start a SQL endpoint; the loop tries again',
    );
    services.serveSoon();
  });
  return statementId;
}

/** What is wrong with all of it but its query is said at once, and needs no warehouse. */
async function readAlert(
  { db }: EngineServices,
  { statement, principal, catalog, schema }: NewStatement,
  session: SessionRow | null,
): Promise<Pick<StatementOrder, 'alert'>> {
  const read = readCreateAlert(statement);
  if (read.kind === 'other') return {};
  if (read.kind === 'problem') throw new ApiError('INVALID_PARAMETER_VALUE', `statement: ${read.message}`);
  await refuseTakenName(db, read.alert.name, principal);
  const place = { catalog: catalog ?? session?.catalog ?? null, schema: schema ?? session?.schema ?? null };
  return { alert: { ...read.alert, ...place } };
}

function refuseText(statement: string): void {
  if (statement.trim() === '') throw new ApiError('INVALID_PARAMETER_VALUE', 'statement: the text is empty');
  const bytes = Buffer.byteLength(statement);
  if (bytes > statementBytesMax)
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `statement: ${bytes} bytes are more than the limit of ${statementBytesMax}: put the data into a file or a table`,
    );
}

function toOrder(order: NewStatement, ofWarehouseMs: number | null): StatementOrder {
  const { parameters, catalog, schema, rowLimit, byteLimit, format, complexAsText } = order;
  const timeouts = [order.timeoutMs, ofWarehouseMs, limits.statementTimeoutMs];
  return {
    ...{ parameters, catalog, schema, rowLimit, byteLimit },
    bytesMax: Math.min(order.bytesMax ?? limits.resultBytesMax, limits.resultBytesMax),
    format: format ?? 'ARROW_STREAM',
    complexAsText: complexAsText ?? false,
    timeoutMs: Math.min(...timeouts.filter((ms) => typeof ms === 'number')),
    ...(order.disposition === undefined ? {} : { disposition: order.disposition }),
  };
}

interface Wait {
  readonly statementId: string;
  readonly principal: Principal;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

const isUnderWay = ({ state }: StatementRow) => state === 'PENDING' || state === 'RUNNING';

export async function waitForEnd(
  services: Pick<EngineServices, 'db' | 'bell' | 'lookEveryMs'>,
  { statementId, principal, timeoutMs, signal }: Wait,
): Promise<StatementRow> {
  const { bell, lookEveryMs } = services;
  const deadlineMs = performance.now() + timeoutMs;
  const ear = bell.listen(`statement ${statementId}`);
  try {
    for (;;) {
      const row = await requireStatement(services, statementId, principal);
      const leftMs = deadlineMs - performance.now();
      if (!isUnderWay(row) || leftMs <= 0 || signal?.aborted) return row;
      await ear.wait(Math.min(leftMs, lookEveryMs), signal);
    }
  } finally {
    ear.close();
  }
}

async function requireStatement(
  { db }: Pick<EngineServices, 'db'>,
  statementId: string,
  principal: Principal,
): Promise<StatementRow> {
  const row = await findStatement(db, statementId);
  if (row && (row.principalId === principal.id || principal.isAdmin)) return row;
  throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Statement ${statementId} does not exist`);
}

function toStatus(row: StatementRow): StatementStatus {
  switch (row.state) {
    case 'SUCCEEDED':
      return { state: row.state, manifest: toManifest(row, row.manifest) };
    case 'FAILED':
    case 'CANCELED':
      return { state: row.state, error: toError(row.error ?? wasCancelled) };
    default:
      return { state: row.state };
  }
}

function toManifest({ request }: StatementRow, manifest: StoredManifest | null) {
  if (manifest === null) throw new Error('bug: a statement succeeded without a result');
  let rowOffset = 0;
  const chunks = manifest.chunks.map(({ rows, bytes }, index) => {
    const chunk = { index, rowOffset, rowCount: rows, byteCount: bytes };
    rowOffset += rows;
    return chunk;
  });
  return {
    format: request.format,
    columns: manifest.columns.map(({ type_text, type_name, interval_type, ...column }) => ({
      ...column,
      ...{ typeText: type_text, typeName: type_name, intervalType: interval_type },
    })),
    arrowSchema: Buffer.from(manifest.arrow_schema, 'base64'),
    totalRows: manifest.total_rows,
    totalBytes: manifest.total_bytes,
    truncated: manifest.truncated,
    chunks,
  };
}

function toError({ sql_state: sqlState, error_class: errorClass, ...rest }: StoredError): StatementError {
  return { ...rest, sqlState, errorClass };
}

async function readChunk(
  services: EngineServices,
  statementId: string,
  index: number,
  principal: Principal,
): Promise<Uint8Array> {
  return readOf(services, await requireStatement(services, statementId, principal), index);
}

async function readAnyChunk(services: EngineServices, statementId: string, index: number) {
  const row = await findStatement(services.db, statementId);
  if (!row) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Statement ${statementId} does not exist`);
  return { row, content: await readOf(services, row, index) };
}

async function readOf(services: EngineServices, row: StatementRow, index: number): Promise<Uint8Array> {
  const { statementId } = row;
  if (row.manifest === null) throw hasNoResult(row);
  const chunk = row.manifest.chunks[index];
  if (!chunk)
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `chunk_index: the result of statement ${statementId} has ${row.manifest.chunks.length} chunks, from 0 on`,
    );
  const { db, clock } = services;
  const content = chunk.isBlob
    ? await readLargeChunk(services, statementId, index)
    : await readSmallChunk(db, statementId, index);
  if (content === null) throw hasNoResult(row);
  const nowMs = clock.nowMs();
  if ((row.resultUntilMs ?? 0) - nowMs < limits.resultRenewedMs)
    await renewResult(db, statementId, nowMs + limits.resultKeptMs);
  return content;
}

function hasNoResult({ statementId, state }: StatementRow): ApiError {
  const why = state === 'CLOSED' ? 'it was closed, or kept for its time' : `it is ${state}`;
  return new ApiError('INVALID_STATE', `Statement ${statementId} has no result: ${why}`);
}

const wasCancelled: StoredError = {
  ...{ code: 'CANCELLED', message: 'The statement was cancelled.' },
  ...{ sql_state: 'HY008', error_class: null, position: null },
};

async function cancelStatement(
  services: EngineServices,
  statementId: string,
  principal: Principal,
): Promise<void> {
  const { db, bell, clock } = services;
  const row = await requireStatement(services, statementId, principal);
  if (!isUnderWay(row)) return;
  const asked = await requestCancel(db, statementId, { nowMs: clock.nowMs(), error: wasCancelled });
  if (asked === null) return;
  bell.ring(`statement ${statementId}`);
  bell.ring(bellName(row));
}

async function closeStatement(
  services: EngineServices,
  statementId: string,
  principal: Principal,
): Promise<void> {
  await cancelStatement(services, statementId, principal);
  const gone = await forgetResults(services.db, { statementId, untilMs: 0, limit: 1 });
  for (const each of gone) if (each.hasBlobs) await discardChunks(services, each.statementId);
  services.bell.ring(`statement ${statementId}`);
}

function noSuchSession(sessionId: string): ApiError {
  return new ApiError(
    'RESOURCE_DOES_NOT_EXIST',
    `Session ${sessionId} does not exist: it was closed, or idle for too long, or its warehouse has stopped since. Open another one`,
  );
}
