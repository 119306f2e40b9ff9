/** Statements as the statement execution API shows them. */
import type { StatementDocument, StatementResult } from '@headrace/api';
import type { StatementRow, StoredColumn, StoredError, StoredManifest } from './rows.ts';

export interface LinkedChunk {
  readonly url: string;
  readonly expiresAtMs: number;
}

export interface ChunkSources {
  /** Of a JSON_ARRAY. */
  readonly readChunk: (index: number) => Promise<Uint8Array>;
  readonly link: (index: number) => LinkedChunk;
}

export async function toStatementDocument(
  row: StatementRow,
  sources: ChunkSources,
): Promise<StatementDocument> {
  const { statementId: statement_id, state, manifest, error } = row;
  if (state === 'FAILED') return { statement_id, status: { state, ...toErrorFields(error) } };
  if (state !== 'SUCCEEDED' || manifest === null) return { statement_id, status: { state } };
  return {
    statement_id,
    status: { state },
    manifest: toManifestDocument(row, manifest),
    result: await toChunkDocument(row, manifest, { index: 0, sources }),
  };
}

function toErrorFields(error: StoredError | null): Partial<StatementDocument['status']> {
  if (error === null) return {};
  const { code, message, sql_state, error_class, position } = error;
  const more = { ...(error_class !== null && { error_class }), ...(position !== null && { position }) };
  return {
    error: { error_code: code, message },
    ...(sql_state !== null && { sql_state }),
    ...(Object.keys(more).length > 0 && { headrace: more }),
  };
}

function toManifestDocument(
  { request }: StatementRow,
  manifest: StoredManifest,
): NonNullable<StatementDocument['manifest']> {
  return {
    format: request.format,
    schema: { column_count: manifest.columns.length, columns: manifest.columns.map(toColumn) },
    total_chunk_count: manifest.chunks.length,
    chunks: manifest.chunks.map((_, index) => chunkFields(manifest, index)),
    total_row_count: manifest.total_rows,
    total_byte_count: manifest.total_bytes,
    truncated: manifest.truncated,
  };
}

function toColumn(column: StoredColumn) {
  const { name, position, type_text, type_name, precision, scale, interval_type } = column;
  return {
    ...{ name, position, type_text, type_name },
    ...(precision !== null && { type_precision: precision }),
    ...(scale !== null && { type_scale: scale }),
    ...(interval_type !== null && { type_interval_type: interval_type }),
  };
}

function chunkFields({ chunks }: StoredManifest, index: number) {
  const row_offset = chunks.slice(0, index).reduce((sum, { rows }) => sum + rows, 0);
  const { rows = 0, bytes = 0 } = chunks[index] ?? {};
  return { chunk_index: index, row_offset, row_count: rows, byte_count: bytes };
}

function nextOf({ statementId }: StatementRow, { chunks }: StoredManifest, index: number) {
  if (index + 1 >= chunks.length) return {};
  return {
    next_chunk_index: index + 1,
    next_chunk_internal_link: `/api/2.0/sql/statements/${statementId}/result/chunks/${index + 1}`,
  };
}

export async function toChunkDocument(
  row: StatementRow,
  manifest: StoredManifest,
  { index, sources }: { readonly index: number; readonly sources: ChunkSources },
): Promise<StatementResult> {
  const fields = { ...chunkFields(manifest, index), ...nextOf(row, manifest, index) };
  // Thrift's statements name no disposition, and most of them are no JSON.
  const { format, disposition } = row.request;
  if (format === 'JSON_ARRAY' && disposition !== 'EXTERNAL_LINKS') {
    const text = Buffer.from(await sources.readChunk(index)).toString('utf8');
    // The endpoint writes it so.
    return { ...fields, data_array: JSON.parse(text) as (string | null)[][] };
  }
  const { url, expiresAtMs } = sources.link(index);
  const expiration = new Date(expiresAtMs).toISOString();
  return { external_links: [{ ...fields, external_link: url, expiration, http_headers: {} }] };
}
