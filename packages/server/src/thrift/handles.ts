/** Our ids as Thrift's handles: 16 bytes where the id is a UUID, which clients show as one, and its text otherwise. */
import { ApiError } from '@headrace/api';
import type { Struct } from './structs.ts';

/** No id of ours is longer. */
const idBytesMax = 128;
/** Who may use a handle is judged by the caller's token: there is no second secret. */
const secret = new Uint8Array(16);
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export const operationTypes = {
  ...{ statement: 0, typeNames: 1, catalogs: 2, schemas: 3, tables: 4, tableTypes: 5, columns: 6 },
  ...{ functions: 7, unknown: 8 },
} as const;
type OperationType = (typeof operationTypes)[keyof typeof operationTypes];

export function toSessionHandle(id: string, protocolVersion: number): Struct<'TSessionHandle'> {
  return { sessionId: { guid: toBytes(id), secret }, serverProtocolVersion: protocolVersion };
}

export function toOperationHandle(
  id: string,
  { operationType, hasResultSet }: { operationType: OperationType; hasResultSet: boolean },
): Struct<'TOperationHandle'> {
  return { operationId: { guid: toBytes(id), secret }, operationType, hasResultSet };
}

export function readSessionId(handle: Struct<'TSessionHandle'> | null | undefined): string {
  return readId(handle?.sessionId, 'session');
}

export function readOperationId(handle: Struct<'TOperationHandle'> | null | undefined): string {
  return readId(handle?.operationId, 'operation');
}

function toBytes(id: string): Uint8Array {
  return uuid.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : Buffer.from(id);
}

function readId(handle: Struct<'THandleIdentifier'> | null | undefined, what: string): string {
  const bytes = Buffer.from(handle?.guid ?? []);
  if (bytes.length === 0 || bytes.length > idBytesMax)
    throw new ApiError('RESOURCE_DOES_NOT_EXIST', `the request names no ${what}`);
  if (bytes.length !== 16) return bytes.toString('utf8');
  const hex = bytes.toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
