/** The shapes of what stands in the store for a statement. */
import type { ResultFormat, StatementParameter, StatementSource, StatementState } from './ports.ts';

/** What its endpoint needs beside the text. */
export interface StatementOrder {
  readonly parameters: readonly StatementParameter[];
  readonly catalog: string | null;
  readonly schema: string | null;
  readonly rowLimit: number | null;
  readonly byteLimit: number | null;
  readonly bytesMax: number;
  readonly format: ResultFormat;
  readonly complexAsText: boolean;
  readonly timeoutMs: number | null;
  /** Of a statement that makes one: Spark's analyzer reads its query, and the alert follows. */
  readonly alert?: StoredAlert;
  /** Of the protocol that it came by, which shows it again. */
  readonly disposition?: string;
}

export interface StoredAlert {
  readonly name: string;
  readonly schedule: string;
  readonly query: string;
  /** Where its bare names lead. */
  readonly catalog: string | null;
  readonly schema: string | null;
}

export interface StoredColumn {
  readonly name: string;
  readonly position: number;
  readonly type_text: string;
  readonly type_name: string;
  readonly precision: number | null;
  readonly scale: number | null;
  readonly interval_type: string | null;
  readonly nullable: boolean;
}

export interface StoredManifest {
  readonly columns: readonly StoredColumn[];
  /** Base64. */
  readonly arrow_schema: string;
  readonly total_rows: number;
  readonly total_bytes: number;
  readonly truncated: boolean;
  /** Row and byte counts of each; those that stand in the blob store are marked. */
  readonly chunks: readonly { readonly rows: number; readonly bytes: number; readonly isBlob?: true }[];
}

export interface StoredError {
  readonly code: string;
  readonly message: string;
  readonly sql_state: string | null;
  readonly error_class: string | null;
  readonly position: { readonly line: number; readonly column: number } | null;
}

export interface StatementRow {
  readonly statementId: string;
  readonly warehouseId: string;
  readonly principalId: number;
  readonly userName: string;
  readonly sessionId: string | null;
  readonly request: StatementOrder;
  readonly state: StatementState;
  readonly runId: number | null;
  readonly error: StoredError | null;
  readonly manifest: StoredManifest | null;
  readonly resultUntilMs: number | null;
}

export interface HistoryRow extends Omit<StatementRow, 'manifest' | 'request' | 'resultUntilMs'> {
  readonly statement: string;
  readonly source: StatementSource;
  readonly kind: string;
  readonly createdAtMs: number;
  readonly givenAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly timings: Readonly<Record<string, number>> | null;
  readonly rowsProduced: number | null;
}
