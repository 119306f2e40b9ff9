/**
 * Cuts an Arrow IPC stream into its messages, as they are: Thrift carries the schema apart from the batches. Format:
 * arrow.apache.org/docs/format/Columnar.html, "Encapsulated message format". Only a message's kind, its rows and the
 * length of its body are read; a library for that would be larger than all of this folder.
 */
export interface ArrowBatch {
  readonly bytes: Uint8Array;
  readonly rowCount: number;
}

export interface ArrowStream {
  /** The schema's message. */
  readonly schema: Uint8Array;
  readonly batches: readonly ArrowBatch[];
}

const headerTypes = { schema: 1, dictionaryBatch: 2, recordBatch: 3 } as const;
const continuation = 0xffff_ffff;
/** Continuation and length. */
const prefixBytes = 8;

export function splitArrowStream(bytes: Uint8Array): ArrowStream {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let schema: Uint8Array | null = null;
  const batches: ArrowBatch[] = [];
  for (let at = 0; at + prefixBytes <= bytes.length; ) {
    if (view.getUint32(at, true) !== continuation) throw new Error(`no Arrow message at byte ${at}`);
    const metadataBytes = view.getInt32(at + 4, true);
    if (metadataBytes === 0) break; // The stream's own end.
    const { type, bodyBytes, rowCount } = readMessage(view, at + prefixBytes);
    const next = at + prefixBytes + metadataBytes + bodyBytes;
    if (metadataBytes < 0 || bodyBytes < 0 || next > bytes.length)
      throw new Error('an Arrow stream ends early');
    const message = bytes.subarray(at, next);
    // Dictionaries stand before the batches that use them: readers take both one after the other.
    if (type === headerTypes.schema) schema = message;
    else batches.push({ bytes: message, rowCount: type === headerTypes.recordBatch ? rowCount : 0 });
    at = next;
  }
  if (schema === null) throw new Error('an Arrow stream without a schema');
  return { schema, batches };
}

/** A flatbuffer: tables point back to where their fields' places stand. */
function readMessage(view: DataView, start: number): { type: number; bodyBytes: number; rowCount: number } {
  const message = start + view.getUint32(start, true);
  const field = (table: number, index: number) => {
    const vtable = table - view.getInt32(table, true);
    const place = 4 + 2 * index;
    const offset = place < view.getUint16(vtable, true) ? view.getUint16(vtable + place, true) : 0;
    return offset === 0 ? null : table + offset;
  };
  // Message: version, header_type, header, bodyLength; RecordBatch: length, …
  const [typeAt, headerAt, bodyAt] = [field(message, 1), field(message, 2), field(message, 3)];
  const type = typeAt === null ? 0 : view.getUint8(typeAt);
  const bodyBytes = bodyAt === null ? 0 : Number(view.getBigInt64(bodyAt, true));
  if (type !== headerTypes.recordBatch || headerAt === null) return { type, bodyBytes, rowCount: 0 };
  const rowsAt = field(headerAt + view.getUint32(headerAt, true), 0);
  return { type, bodyBytes, rowCount: rowsAt === null ? 0 : Number(view.getBigInt64(rowsAt, true)) };
}
