/** Writes replies in Thrift's strict binary protocol. Large binaries are handed on as they are, never copied together. */
import {
  fieldsOf,
  messageTypes,
  splitType,
  type ThriftCall,
  typeIdOf,
  typeIds,
  versionMark,
} from './read-thrift.ts';
import type { Struct, StructName } from './structs.ts';

type Answered = Pick<ThriftCall, 'name' | 'sequence'>;

/** TApplicationException's types, of which clients tell the first apart. */
export const exceptionTypes = { unknownMethod: 1, internalError: 6, protocolError: 7 } as const;

export function writeReply<Name extends StructName>(
  call: Answered,
  struct: Name,
  value: Struct<Name>,
): readonly Uint8Array[] {
  const writer = new Writer();
  writer.writeHead(call, messageTypes.reply);
  writer.writeField(typeIds.struct, 0);
  writer.writeStruct(struct, value);
  writer.writeU8(typeIds.stop);
  return writer.finish();
}

export function writeException(
  call: Answered,
  { message, type }: { message: string; type: number },
): readonly Uint8Array[] {
  const writer = new Writer();
  writer.writeHead(call, messageTypes.exception);
  writer.writeField(typeIds.string, 1);
  writer.writeText(message);
  writer.writeField(typeIds.i32, 2);
  writer.writeI32(type);
  writer.writeU8(typeIds.stop);
  return writer.finish();
}

/** Smaller ones are copied. */
const partBytesMin = 16 * 1024;

class Writer {
  readonly #parts: Uint8Array[] = [];
  #buffer = Buffer.allocUnsafe(partBytesMin);
  #at = 0;

  finish(): readonly Uint8Array[] {
    this.#flush();
    return this.#parts;
  }

  writeHead({ name, sequence }: Answered, type: number): void {
    this.writeI32(versionMark | type | 0);
    this.writeText(name);
    this.writeI32(sequence);
  }

  writeField(typeId: number, id: number): void {
    this.writeU8(typeId);
    this.#writeI16(id);
  }

  writeStruct(name: StructName, value: Readonly<Record<string, unknown>>): void {
    for (const [id, { key, type, typeId }] of fieldsOf(name)) {
      const field = value[key];
      if (field === undefined || field === null) continue;
      this.writeField(typeId, id);
      this.#writeValue(type, field);
    }
    this.writeU8(typeIds.stop);
  }

  writeU8(value: number): void {
    const at = this.#reserve(1);
    this.#buffer.writeUInt8(value, at);
  }

  writeI32(value: number): void {
    const at = this.#reserve(4);
    this.#buffer.writeInt32BE(value, at);
  }

  writeText(text: string): void {
    this.#writeBinary(Buffer.from(text));
  }

  // `value` was checked by the compiler where the reply was made; here only its table is known.
  #writeValue(type: string, value: unknown): void {
    switch (type) {
      case 'bool':
        return this.writeU8(value ? 1 : 0);
      case 'i8': {
        const at = this.#reserve(1);
        return void this.#buffer.writeInt8(value as number, at);
      }
      case 'i16':
        return this.#writeI16(value as number);
      case 'i32':
        return this.writeI32(value as number);
      case 'i64': {
        const at = this.#reserve(8);
        return void this.#buffer.writeBigInt64BE(BigInt(value as number | bigint), at);
      }
      case 'double': {
        const at = this.#reserve(8);
        return void this.#buffer.writeDoubleBE(value as number, at);
      }
      case 'string':
        return this.writeText(value as string);
      case 'binary':
        return this.#writeBinary(value as Uint8Array);
      default:
        return this.#writeCompound(type, value);
    }
  }

  #writeCompound(type: string, value: unknown): void {
    const { kind, element } = splitType(type);
    if (kind === 'struct') {
      // The table holds no other names.
      return this.writeStruct(type as StructName, value as Record<string, unknown>);
    }
    if (kind === 'list') {
      const list = value as readonly unknown[];
      this.writeU8(typeIdOf(element));
      this.writeI32(list.length);
      for (const item of list) this.#writeValue(element, item);
      return;
    }
    const map = value as ReadonlyMap<string, unknown>;
    this.writeU8(typeIds.string);
    this.writeU8(typeIdOf(element));
    this.writeI32(map.size);
    for (const [key, item] of map) {
      this.writeText(key);
      this.#writeValue(element, item);
    }
  }

  #writeBinary(bytes: Uint8Array): void {
    this.writeI32(bytes.length);
    if (bytes.length >= partBytesMin) {
      this.#flush();
      this.#parts.push(bytes);
      return;
    }
    const at = this.#reserve(bytes.length);
    this.#buffer.set(bytes, at);
  }

  #writeI16(value: number): void {
    const at = this.#reserve(2);
    this.#buffer.writeInt16BE(value, at);
  }

  #reserve(bytes: number): number {
    if (this.#at + bytes > this.#buffer.length) this.#flush();
    const at = this.#at;
    this.#at += bytes;
    return at;
  }

  #flush(): void {
    if (this.#at > 0) this.#parts.push(this.#buffer.subarray(0, this.#at));
    this.#buffer = Buffer.allocUnsafe(partBytesMin);
    this.#at = 0;
  }
}
