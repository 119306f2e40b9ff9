/** What has become of a statement, and its rows, in Thrift's words. */

import type { Principal } from '../context.ts';
import type {
  ResultManifest,
  StatementEngine,
  StatementError,
  StatementStatus,
} from '../statements/ports.ts';
import { splitArrowStream } from './arrow-stream.ts';
import { success } from './caller.ts';
import { toColumn } from './column-sets.ts';
import { toColumnDesc } from './column-types.ts';
import type { StatementOperation } from './operations.ts';
import type { Struct } from './structs.ts';

export const rowSetTypes = { arrow: 0, columns: 1 } as const;
const operationStates = {
  ...{ running: 1, finished: 2, canceled: 3, closed: 4, error: 5, pending: 7 },
} as const;

export const finished: Struct<'TGetOperationStatusResp'> = {
  status: success,
  operationState: operationStates.finished,
  hasResultSet: true,
};

export function toOperationStatus(status: StatementStatus): Struct<'TGetOperationStatusResp'> {
  switch (status.state) {
    case 'PENDING':
      return { status: success, operationState: operationStates.pending };
    case 'RUNNING':
      return { status: success, operationState: operationStates.running };
    case 'SUCCEEDED':
      return { ...finished, hasResultSet: status.manifest.columns.length > 0 };
    case 'CLOSED':
      return { status: success, operationState: operationStates.closed };
    case 'CANCELED':
      return { ...toFailure(status.error), operationState: operationStates.canceled };
    case 'FAILED':
      return { ...toFailure(status.error), operationState: operationStates.error };
    default:
      return status satisfies never;
  }
}

function toFailure({ message, sqlState, errorClass }: StatementError): Struct<'TGetOperationStatusResp'> {
  return {
    status: success,
    // Where Spark knows no state, "general error".
    sqlState: sqlState ?? 'HY000',
    errorCode: 0,
    errorMessage: message,
    displayMessage: message,
    diagnosticInfo: errorClass === null ? message : `${errorClass}: ${message}`,
  };
}

export function toMetadata(manifest: ResultManifest): Struct<'TGetResultSetMetadataResp'> {
  const isArrow = manifest.format === 'ARROW_STREAM';
  return {
    status: success,
    schema: { columns: manifest.columns.map(toColumnDesc) },
    resultFormat: isArrow ? rowSetTypes.arrow : rowSetTypes.columns,
    lz4Compressed: false,
    arrowSchema: isArrow && manifest.arrowSchema.length > 0 ? manifest.arrowSchema : null,
    uncompressedBytes: manifest.totalBytes,
    isStagingOperation: false,
  };
}

/** More than one chunk travels in an answer while they are small: 16 MiB is what Thrift's libraries take by default. */
const answerBytesMax = 15 * 1024 ** 2;

/** The next chunks of a result. The operation moves on once they were read. */
export async function fetchNext(
  engine: Pick<StatementEngine, 'readChunk'>,
  operation: StatementOperation,
  {
    manifest,
    principal,
    limits,
  }: {
    manifest: ResultManifest;
    principal: Principal;
    limits: { readonly maxRows: number; readonly maxBytes: number };
  },
): Promise<Struct<'TFetchResultsResp'>> {
  const { chunks } = manifest;
  const bytesMax = Math.min(limits.maxBytes || answerBytesMax, answerBytesMax);
  let end = operation.nextChunk;
  let [rows, bytes] = [0, 0];
  // A chunk is never cut: one that is larger than asked for travels alone.
  for (const chunk of chunks.slice(operation.nextChunk)) {
    const isFirst = end === operation.nextChunk;
    if (!isFirst && (bytes + chunk.byteCount > bytesMax || rows >= limits.maxRows)) break;
    rows += chunk.rowCount;
    bytes += chunk.byteCount;
    end += 1;
  }
  const wanted = chunks.slice(operation.nextChunk, end);
  const read = await Promise.all(wanted.map(({ index }) => engine.readChunk(operation.id, index, principal)));
  const results: Struct<'TRowSet'> = {
    startRowOffset: wanted[0]?.rowOffset ?? manifest.totalRows,
    rows: [],
    ...(manifest.format === 'ARROW_STREAM' ? toArrowRows(read) : toColumnRows(manifest, read)),
  };
  operation.nextChunk = end;
  return { status: success, hasMoreRows: end < chunks.length, results };
}

function toArrowRows(chunks: readonly Uint8Array[]): Pick<Struct<'TRowSet'>, 'arrowBatches'> {
  const batches = chunks.flatMap((bytes) => splitArrowStream(bytes).batches);
  return { arrowBatches: batches.map(({ bytes, rowCount }) => ({ batch: bytes, rowCount })) };
}

function toColumnRows(
  { columns }: ResultManifest,
  chunks: readonly Uint8Array[],
): Pick<Struct<'TRowSet'>, 'columns'> {
  // Our own endpoint wrote them: an array of rows, each an array of texts and nulls.
  const rows = chunks.flatMap(
    (bytes) => JSON.parse(Buffer.from(bytes).toString('utf8')) as (string | null)[][],
  );
  return {
    columns: columns.map((column, index) =>
      toColumn(
        column,
        rows.map((row) => row[index] ?? null),
      ),
    ),
  };
}
