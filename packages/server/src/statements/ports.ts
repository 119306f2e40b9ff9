/**
 * What those who speak a protocol (the statement execution API, Thrift) ask of the statement engine. A statement is a row;
 * it runs at most once, on the SQL endpoint of its warehouse that acts for its principal.
 *
 *   PENDING ──given to the endpoint──▶ RUNNING ──▶ SUCCEEDED ──close, or kept for long──▶ CLOSED
 *      │                                  ├──▶ FAILED     (also: its endpoint ended, it took too long)
 *      └───────────── cancel ─────────────┴──▶ CANCELED
 */
import type { Principal } from '../context.ts';

export const statementStates = ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED', 'CLOSED'] as const;
export type StatementState = (typeof statementStates)[number];

export const resultFormats = ['ARROW_STREAM', 'JSON_ARRAY', 'CSV'] as const;
export type ResultFormat = (typeof resultFormats)[number];

export interface NewSession {
  readonly principal: Principal;
  /** As the client wrote it: resolved by `resolveWarehouse`. */
  readonly warehouseId: string;
  readonly catalog?: string | null;
  readonly schema?: string | null;
  /** Spark's names, or those that clients know: STATEMENT_TIMEOUT (seconds), TIMEZONE, ANSI_MODE. */
  readonly conf?: Readonly<Record<string, string>>;
  /** Of the task whose token opens it. */
  readonly taskRunId?: number | null;
}

/** Named (`:name`) all, or positional (`?`, name null) all. */
export interface StatementParameter {
  readonly name: string | null;
  /** An SQL type; STRING where the client named none. */
  readonly type: string;
  readonly value: string | null;
}

/** Where a statement came from, as the query history shows it. */
export interface StatementSource {
  /** The client's name for itself, from its User-Agent. */
  readonly application: string | null;
  readonly protocol: 'rest' | 'thrift';
  readonly jobId?: number;
  readonly runId?: number;
  /** Of the task whose token brings it. */
  readonly taskRunId?: number;
  readonly queryId?: string;
  readonly tags?: readonly { readonly key: string; readonly value?: string | undefined }[];
}

export interface NewStatement {
  readonly principal: Principal;
  readonly warehouseId: string;
  /** Null: a session of its own, gone with it. */
  readonly sessionId: string | null;
  readonly statement: string;
  readonly parameters: readonly StatementParameter[];
  /** Where the session's own are not meant. */
  readonly catalog: string | null;
  readonly schema: string | null;
  readonly rowLimit: number | null;
  /** What is beyond is left out, and `truncated` says so. */
  readonly byteLimit: number | null;
  readonly source: StatementSource;
  /** ARROW_STREAM where left out. Chunks are kept in this form alone. */
  readonly format?: ResultFormat;
  /** A larger result fails the statement; for INLINE answers. */
  readonly bytesMax?: number;
  /** Of an Arrow result: arrays, maps, structs and intervals as texts. */
  readonly complexAsText?: boolean;
  /** Left out: as the session or the warehouse has it. */
  readonly timeoutMs?: number;
  /** Of the protocol that it came by, kept for its answers. */
  readonly disposition?: string;
}

export interface ResultColumn {
  readonly name: string;
  readonly position: number;
  /** As SQL writes it: `DECIMAL(10,2)`, `ARRAY<INT>`. */
  readonly typeText: string;
  /** INT, LONG, STRING, …: the wire's names (ColumnInfoTypeName). */
  readonly typeName: string;
  readonly precision: number | null;
  readonly scale: number | null;
  readonly intervalType: string | null;
  readonly nullable: boolean;
}

export interface ResultChunk {
  readonly index: number;
  readonly rowOffset: number;
  readonly rowCount: number;
  readonly byteCount: number;
}

export interface ResultManifest {
  readonly format: ResultFormat;
  readonly columns: readonly ResultColumn[];
  /** The schema message of an Arrow IPC stream; empty for other formats. */
  readonly arrowSchema: Uint8Array;
  readonly totalRows: number;
  readonly totalBytes: number;
  readonly truncated: boolean;
  /** At least one, perhaps without rows. */
  readonly chunks: readonly ResultChunk[];
}

export interface StatementError {
  /** Of the API's table: BAD_REQUEST, NOT_FOUND, … */
  readonly code: string;
  readonly message: string;
  readonly sqlState: string | null;
  readonly errorClass: string | null;
  /** In the statement's text; both count from 1. */
  readonly position: { readonly line: number; readonly column: number } | null;
}

export type StatementStatus =
  | { readonly state: 'PENDING' | 'RUNNING' | 'CLOSED' }
  | { readonly state: 'SUCCEEDED'; readonly manifest: ResultManifest }
  | { readonly state: 'FAILED' | 'CANCELED'; readonly error: StatementError };

/**
 * Statements and sessions are their owner's; administrators see them too. Anybody else's id is refused like an unknown
 * one. All refusals are `ApiError`s.
 */
export interface StatementEngine {
  /** Its id. Starts nothing: the first statement does. */
  openSession(session: NewSession): Promise<string>;
  /** Cancels what runs in it. A session that is closed, or unknown, is no error. */
  closeSession(sessionId: string, principal: Principal): Promise<void>;
  /** Recorded, and on its way: its id. */
  execute(statement: NewStatement): Promise<string>;
  /** Answers once it has come to an end, and after `timeoutMs` at the latest. */
  waitFor(
    statementId: string,
    principal: Principal,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<StatementStatus>;
  /** Of an ARROW_STREAM: one complete Arrow IPC stream. */
  readChunk(statementId: string, index: number, principal: Principal): Promise<Uint8Array>;
  /** One that has ended stays as it is. Returns once the wish is recorded; `waitFor` tells when it has come true. */
  cancel(statementId: string, principal: Principal): Promise<void>;
  /** Cancels it if need be, and forgets its result. */
  close(statementId: string, principal: Principal): Promise<void>;
}
