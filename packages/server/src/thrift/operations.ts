/**
 * How far each operation's results were fetched. Kept in memory: FETCH_NEXT means "after what you gave me last". A
 * client that comes back to another server, or after a restart, is told so and asks its question again.
 */
import { ApiError } from '@headrace/api';
import type { ResultFormat } from '../statements/ports.ts';
import type { Struct } from './structs.ts';

export interface StatementOperation {
  readonly kind: 'statement';
  readonly id: string;
  readonly principalId: number;
  readonly sessionId: string;
  readonly format: ResultFormat;
  nextChunk: number;
}

/** Answered by the server itself, and complete. */
export interface ListOperation {
  readonly kind: 'list';
  readonly id: string;
  readonly principalId: number;
  readonly sessionId: string;
  readonly metadata: Struct<'TGetResultSetMetadataResp'>;
  readonly rows: Struct<'TRowSet'>;
  isFetched: boolean;
}

export type Operation = StatementOperation | ListOperation;

export interface OperationBook {
  add(operation: Operation): void;
  /** Undefined where this server does not know it. Others' are not known. */
  find(id: string, principalId: number): Operation | undefined;
  require(id: string, principalId: number): Operation;
  forget(id: string, principalId: number): void;
  forgetSession(sessionId: string, principalId: number): void;
}

export interface OperationLimits {
  /** Of one principal. Beyond it their oldest go: they were left behind. */
  readonly operationsMax: number;
  /** Of all lists together. Beyond it the oldest go of whoever has most of them. */
  readonly listBytesMax: number;
}

const usualLimits: OperationLimits = { operationsMax: 5_000, listBytesMax: 64 * 1024 ** 2 };

interface OwnOperations {
  /** In the order in which they came. */
  readonly byId: Map<string, Operation>;
  listBytes: number;
}

export function createOperationBook(limits: OperationLimits = usualLimits): OperationBook {
  const owners = new Map<number, OwnOperations>();
  let listBytes = 0;

  const find = (id: string, principalId: number) => owners.get(principalId)?.byId.get(id);

  function forget(id: string, principalId: number): void {
    const own = owners.get(principalId);
    const operation = own?.byId.get(id);
    if (own === undefined || operation === undefined) return;
    const bytes = bytesOf(operation);
    own.byId.delete(id);
    own.listBytes -= bytes;
    listBytes -= bytes;
    if (own.byId.size === 0) owners.delete(principalId);
  }

  function forgetOldest({ byId }: OwnOperations, isMeant: (operation: Operation) => boolean): void {
    const oldest = [...byId.values()].find(isMeant);
    if (oldest === undefined) throw new Error('bug: too many operations, and none that could go');
    forget(oldest.id, oldest.principalId);
  }

  return {
    find,
    forget,
    add(operation) {
      const { id, principalId } = operation;
      const bytes = bytesOf(operation);
      if (bytes > limits.listBytesMax) {
        const message = `the list has more than ${limits.listBytesMax} bytes: ask with a narrower pattern`;
        throw new ApiError('RESOURCE_LIMIT_EXCEEDED', message);
      }
      forget(id, principalId);
      const own = owners.get(principalId) ?? { byId: new Map(), listBytes: 0 };
      owners.set(principalId, own);
      own.byId.set(id, operation);
      own.listBytes += bytes;
      listBytes += bytes;
      if (own.byId.size > limits.operationsMax) forgetOldest(own, () => true);
      while (listBytes > limits.listBytesMax)
        forgetOldest(findLargestOwner(owners), ({ kind }) => kind === 'list');
    },
    require(id, principalId) {
      const found = find(id, principalId);
      if (found) return found;
      throw new ApiError(
        'RESOURCE_DOES_NOT_EXIST',
        `operation ${id} is unknown: it was closed, made way for later ones, or the server has started anew since; execute the statement again`,
      );
    },
    forgetSession(sessionId, principalId) {
      for (const operation of [...(owners.get(principalId)?.byId.values() ?? [])])
        if (operation.sessionId === sessionId) forget(operation.id, principalId);
    },
  };
}

function findLargestOwner(owners: ReadonlyMap<number, OwnOperations>): OwnOperations {
  return [...owners.values()].reduce((one, other) => (other.listBytes > one.listBytes ? other : one));
}

/** What a list takes in memory, about. Statements have some hundred bytes each, and are counted instead. */
function bytesOf(operation: Operation): number {
  if (operation.kind === 'statement') return 0;
  let bytes = 0;
  for (const { stringVal, i32Val } of operation.rows.columns ?? []) {
    for (const text of stringVal?.values ?? []) bytes += 16 + 2 * text.length;
    bytes += 8 * (i32Val?.values?.length ?? 0);
  }
  return bytes;
}
