/** What every call is told about its request, and the port to the lists of names. */
import type { Logger } from 'pino';
import type { Principal } from '../context.ts';
import type { StatementEngine } from '../statements/ports.ts';
import type { OperationBook } from './operations.ts';
import type { Struct } from './structs.ts';

export interface Caller {
  readonly principal: Principal;
  /** From the path. */
  readonly warehouseId: string;
  readonly userAgent: string | null;
  /** Where the token is that of a task. */
  readonly attemptId: number | null;
  /** Aborts when the client hangs up. */
  readonly signal: AbortSignal;
}

/** Patterns are those of LIKE, with `\` before what stands for itself; null: all. */
export interface NameSearch {
  catalogs(): Promise<readonly string[]>;
  schemas(by: SchemaPattern): Promise<readonly { catalog: string; schema: string }[]>;
  tables(by: TablePattern): Promise<readonly FoundTable[]>;
  columns(by: TablePattern & { readonly column: string | null }): Promise<readonly FoundColumn[]>;
}

export interface SchemaPattern {
  readonly catalog: string | null;
  readonly schema: string | null;
}

export interface TablePattern extends SchemaPattern {
  readonly table: string | null;
}

export interface FoundTable {
  readonly catalog: string;
  readonly schema: string;
  readonly table: string;
  readonly isView: boolean;
  readonly comment: string | null;
}

export interface FoundColumn extends Pick<FoundTable, 'catalog' | 'schema' | 'table'> {
  readonly column: string;
  readonly typeText: string;
  readonly typeName: string;
  readonly precision: number | null;
  readonly scale: number | null;
  readonly isNullable: boolean;
  readonly comment: string | null;
  /** From 0 on. */
  readonly position: number;
}

export interface ThriftServices {
  readonly engine: StatementEngine;
  readonly names: NameSearch;
  readonly operations: OperationBook;
  readonly log: Pick<Logger, 'warn' | 'error'>;
  readonly newId: () => string;
}

export const success: Struct<'TStatus'> = { statusCode: 0 };
