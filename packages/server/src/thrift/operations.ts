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

/** Some kilobytes each, lists aside. Beyond it the oldest go: they were left behind. */
const operationsMax = 5_000;

export function createOperationBook(): OperationBook {
  // A Map keeps the order in which they came.
  const operations = new Map<string, Operation>();
  const find = (id: string, principalId: number) => {
    const found = operations.get(id);
    return found?.principalId === principalId ? found : undefined;
  };
  return {
    find,
    add(operation) {
      operations.set(operation.id, operation);
      const [oldest] = operations.keys();
      if (operations.size > operationsMax && oldest !== undefined) operations.delete(oldest);
    },
    require(id, principalId) {
      const found = find(id, principalId);
      if (found) return found;
      throw new ApiError(
        'RESOURCE_DOES_NOT_EXIST',
        `operation ${id} is unknown: it was closed, or the server has started anew since; execute the statement again`,
      );
    },
    forget(id, principalId) {
      if (find(id, principalId)) operations.delete(id);
    },
    forgetSession(sessionId, principalId) {
      for (const operation of operations.values()) {
        if (operation.sessionId === sessionId && operation.principalId === principalId)
          operations.delete(operation.id);
      }
    },
  };
}
