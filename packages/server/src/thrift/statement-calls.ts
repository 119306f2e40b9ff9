/** Statements: told to the engine, waited for, fetched, cancelled, closed. */
import { ApiError } from '@headrace/api';
import type { ResultManifest, StatementStatus } from '../statements/ports.ts';
import { type Caller, success, type ThriftServices } from './caller.ts';
import { operationTypes, readOperationId, readSessionId, toOperationHandle } from './handles.ts';
import type { StatementOperation } from './operations.ts';
import { readParameters } from './parameters.ts';
import { fetchNext, finished, toMetadata, toOperationStatus } from './results.ts';
import type { RequestOf, ResponseOf, Struct } from './structs.ts';

/**
 * How long a call waits for news. Clients ask again at once, so without it they would do so without pause; and they
 * can cancel only between two calls, so it is short.
 */
const waitMsMax = 2_000;
const maxRowsDefault = 100_000;

export async function executeStatement(
  services: ThriftServices,
  request: RequestOf<'ExecuteStatement'>,
  caller: Caller,
): Promise<ResponseOf<'ExecuteStatement'>> {
  const { engine, operations } = services;
  const sessionId = readSessionId(request.sessionHandle);
  const { principal } = caller;
  const format = request.canReadArrowResult ? 'ARROW_STREAM' : 'JSON_ARRAY';
  const id = await engine.execute({
    ...{ principal, warehouseId: caller.warehouseId, sessionId, format },
    statement: request.statement ?? '',
    parameters: readParameters(request.parameters ?? []),
    ...{ catalog: null, schema: null, byteLimit: null },
    rowLimit: positiveOrNull(request.resultRowLimit),
    complexAsText: request.useArrowNativeTypes?.complexTypesAsArrow === false,
    ...(positiveOrNull(request.queryTimeout) && { timeoutMs: Number(request.queryTimeout) * 1000 }),
    source: {
      application: caller.userAgent,
      protocol: 'thrift',
      ...(caller.attemptId !== null && { taskRunId: caller.attemptId }),
      tags: readTags(request.confOverlay?.get('query_tags') ?? ''),
    },
  });
  const operation: StatementOperation = {
    ...{ kind: 'statement', id, principalId: principal.id, sessionId, format, nextChunk: 0 },
  };
  operations.add(operation);
  const directResults = request.getDirectResults
    ? await answerDirectly(services, operation, { limits: request.getDirectResults, caller })
    : null;
  const hasResultSet = directResults?.operationStatus?.hasResultSet ?? true;
  return {
    status: success,
    operationHandle: toOperationHandle(id, { operationType: operationTypes.statement, hasResultSet }),
    directResults,
  };
}

/**
 * What a short statement needs in one answer; null where that cannot be told. The statement is on its way by now: no
 * error may let the client believe that it is not, and send it again.
 */
async function answerDirectly(
  { engine, operations, log }: ThriftServices,
  operation: StatementOperation,
  { limits, caller }: { limits: Struct<'TSparkGetDirectResults'>; caller: Caller },
): Promise<Struct<'TSparkDirectResults'> | null> {
  const { id } = operation;
  const { principal, signal } = caller;
  try {
    const status = await engine.waitFor(id, principal, waitMsMax, signal);
    const operationStatus = toOperationStatus(status);
    if (status.state !== 'SUCCEEDED') return { operationStatus };
    const { manifest } = status;
    const resultSet = await fetchNext(engine, operation, { manifest, principal, limits: readLimits(limits) });
    const answer = { operationStatus, resultSetMetadata: toMetadata(manifest), resultSet };
    if (resultSet.hasMoreRows) return answer;
    operations.forget(id, principal.id);
    // Its result is in this answer: nobody comes for it again.
    await engine.close(id, principal);
    return { ...answer, closeOperation: { status: success } };
  } catch (error) {
    log.warn({ err: error, statement: id }, 'a statement is not answered directly');
    operation.nextChunk = 0;
    operations.add(operation);
    return null;
  }
}

export async function getOperationStatus(
  { engine, operations }: ThriftServices,
  request: RequestOf<'GetOperationStatus'>,
  { principal, signal }: Caller,
): Promise<ResponseOf<'GetOperationStatus'>> {
  const id = readOperationId(request.operationHandle);
  if (operations.find(id, principal.id)?.kind === 'list') return finished;
  return toOperationStatus(await engine.waitFor(id, principal, waitMsMax, signal));
}

export async function getResultSetMetadata(
  services: ThriftServices,
  request: RequestOf<'GetResultSetMetadata'>,
  caller: Caller,
): Promise<ResponseOf<'GetResultSetMetadata'>> {
  const id = readOperationId(request.operationHandle);
  const operation = services.operations.find(id, caller.principal.id);
  if (operation?.kind === 'list') return operation.metadata;
  return toMetadata(await requireResult(services, id, caller));
}

/** TFetchOrientation. */
const orientations = { next: 0, first: 4 } as const;

export async function fetchResults(
  services: ThriftServices,
  request: RequestOf<'FetchResults'>,
  caller: Caller,
): Promise<ResponseOf<'FetchResults'>> {
  const { engine, operations } = services;
  const { principal } = caller;
  const operation = operations.require(readOperationId(request.operationHandle), principal.id);
  const { orientation = orientations.next } = request;
  if (orientation !== orientations.next && orientation !== orientations.first)
    throw new ApiError('INVALID_PARAMETER_VALUE', 'results are fetched forward, or from the first row on');
  if (operation.kind === 'list') {
    const { metadata, rows } = operation;
    const isAgain = operation.isFetched && orientation === orientations.next;
    operation.isFetched = true;
    const results = isAgain ? { ...rows, columns: rows.columns?.map(emptyColumn) } : rows;
    return { status: success, hasMoreRows: false, results, resultSetMetadata: metadata };
  }
  const manifest = await requireResult(services, operation.id, caller);
  if (orientation === orientations.first) operation.nextChunk = 0;
  const fetched = await fetchNext(engine, operation, { manifest, principal, limits: readLimits(request) });
  return { ...fetched, resultSetMetadata: request.includeResultSetMetadata ? toMetadata(manifest) : null };
}

export async function closeOperation(
  { engine, operations }: ThriftServices,
  request: RequestOf<'CloseOperation'>,
  { principal }: Caller,
): Promise<ResponseOf<'CloseOperation'>> {
  const id = readOperationId(request.operationHandle);
  const isList = operations.find(id, principal.id)?.kind === 'list';
  operations.forget(id, principal.id);
  if (!isList) await engine.close(id, principal);
  return { status: success };
}

export async function cancelOperation(
  { engine, operations }: ThriftServices,
  request: RequestOf<'CancelOperation'>,
  { principal }: Caller,
): Promise<ResponseOf<'CancelOperation'>> {
  const id = readOperationId(request.operationHandle);
  if (operations.find(id, principal.id)?.kind !== 'list') await engine.cancel(id, principal);
  return { status: success };
}

async function requireResult(
  { engine }: ThriftServices,
  id: string,
  { principal, signal }: Caller,
): Promise<ResultManifest> {
  const status = await engine.waitFor(id, principal, waitMsMax, signal);
  if (status.state === 'SUCCEEDED') return status.manifest;
  throw new ApiError('INVALID_STATE', sayWhy(id, status));
}

function sayWhy(id: string, status: Exclude<StatementStatus, { state: 'SUCCEEDED' }>): string {
  if (status.state === 'FAILED' || status.state === 'CANCELED') return status.error.message;
  return status.state === 'CLOSED'
    ? `statement ${id} was closed: execute it again`
    : `statement ${id} has not ended yet`;
}

function readLimits({ maxRows, maxBytes }: Struct<'TSparkGetDirectResults'>) {
  return { maxRows: positiveOrNull(maxRows) ?? maxRowsDefault, maxBytes: positiveOrNull(maxBytes) ?? 0 };
}

function positiveOrNull(value: number | bigint | null | undefined): number | null {
  const number = Number(value ?? 0);
  return number > 0 && Number.isSafeInteger(number) ? number : null;
}

function emptyColumn(column: Struct<'TColumn'>): Struct<'TColumn'> {
  const nulls = new Uint8Array();
  return column.i32Val ? { i32Val: { values: [], nulls } } : { stringVal: { values: [], nulls } };
}

const tagsMax = 50;

/** `key:value,key`, with `\` before what stands for itself. */
function readTags(text: string): { key: string; value?: string }[] {
  const parts = text.match(/(?:\\.|[^,\\])+/g) ?? [];
  const withoutEscapes = (part: string) => part.replaceAll(/\\(.)/g, '$1');
  return parts.slice(0, tagsMax).map((part) => {
    const [, key = '', value] = /^((?:\\.|[^:\\])*)(?::(.*))?$/s.exec(part) ?? [];
    return value === undefined
      ? { key: withoutEscapes(key) }
      : { key: withoutEscapes(key), value: withoutEscapes(value) };
  });
}
