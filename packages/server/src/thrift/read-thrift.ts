/**
 * Reads Thrift's strict binary protocol (thrift.apache.org, "Thrift Binary protocol encoding") from bytes that anybody
 * may have sent: no length is believed that the rest of the message cannot hold, and nothing nests without end.
 */
import { type Struct, type StructName, type Structs, structs } from './structs.ts';

export const typeIds = {
  ...{ stop: 0, bool: 2, i8: 3, double: 4, i16: 6, i32: 8, i64: 10, string: 11 },
  ...{ struct: 12, map: 13, set: 14, list: 15 },
} as const;
export const versionMark = 0x8001_0000;
export const messageTypes = { call: 1, reply: 2, exception: 3 } as const;

/** Parameters of arrays in arrays are the deepest that clients send. */
const nestingMax = 32;
/** An element of one byte can become an object of a hundred. */
const elementsMax = 200_000;
const nameBytesMax = 128;

/** The bytes are no call. */
export class ThriftReadError extends Error {}

export interface ThriftCall {
  readonly name: string;
  readonly sequence: number;
  /** Its only argument. Throws where it is none. */
  readArgument<Name extends StructName>(struct: Name): Struct<Name>;
}

export function readCall(bytes: Uint8Array): ThriftCall {
  const reader = new Reader(bytes);
  const head = reader.readI32();
  if ((head & 0xffff_0000) >>> 0 !== versionMark) throw new ThriftReadError('no strict binary protocol');
  if ((head & 0xff) !== messageTypes.call) throw new ThriftReadError('no call');
  const name = reader.readText(nameBytesMax);
  const sequence = reader.readI32();
  return { name, sequence, readArgument: (struct) => reader.readArgument(struct) };
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;
  #elementsLeft = elementsMax;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The arguments of a call are a struct; our methods have one, numbered 1. */
  readArgument<Name extends StructName>(name: Name): Struct<Name> {
    let argument: Struct<Name> | null = null;
    for (let type = this.#readU8(); type !== typeIds.stop; type = this.#readU8()) {
      if (this.#readI16() === 1 && type === typeIds.struct) argument = this.#readStruct(name, 1);
      else this.#skip(type, 1);
    }
    if (argument === null) throw new ThriftReadError('the call has no argument');
    return argument;
  }

  readI32(): number {
    return this.#view.getInt32(this.#take(4));
  }

  readText(bytesMax: number): string {
    const bytes = this.#readBinary();
    if (bytes.length > bytesMax) throw new ThriftReadError(`a name of ${bytes.length} bytes`);
    return this.#decode(bytes);
  }

  #readStruct<Name extends StructName>(name: Name, depth: number): Struct<Name> {
    if (depth > nestingMax) throw new ThriftReadError(`more than ${nestingMax} levels`);
    const fields = fieldsOf(name);
    const read: Record<string, unknown> = {};
    for (let type = this.#readU8(); type !== typeIds.stop; type = this.#readU8()) {
      const field = fields.get(this.#readI16());
      if (field === undefined || field.typeId !== type) this.#skip(type, depth + 1);
      else read[field.key] = this.#readValue(field.type, depth + 1);
    }
    // The table that wrote the type also chose what was read.
    return read as Struct<Name>;
  }

  #readValue(type: string, depth: number): unknown {
    switch (type) {
      case 'bool':
        return this.#readU8() !== 0;
      case 'i8':
        return this.#view.getInt8(this.#take(1));
      case 'i16':
        return this.#readI16();
      case 'i32':
        return this.readI32();
      case 'i64':
        // Limits and versions only: beyond 2^53 they are as good as infinite.
        return Number(this.#view.getBigInt64(this.#take(8)));
      case 'double':
        return this.#view.getFloat64(this.#take(8));
      case 'string':
        return this.#decode(this.#readBinary());
      case 'binary':
        return this.#readBinary();
      default:
        return this.#readCompound(type, depth);
    }
  }

  #readCompound(type: string, depth: number): unknown {
    if (depth > nestingMax) throw new ThriftReadError(`more than ${nestingMax} levels`);
    const { element, kind } = splitType(type);
    if (kind === 'struct') return this.#readStruct(type as StructName, depth); // The table holds no other names.
    if (kind === 'list') {
      const elementType = this.#readU8();
      const size = this.#readSize(typeIdOf(element));
      if (size > 0 && elementType !== typeIdOf(element)) throw new ThriftReadError(`no ${type}`);
      return Array.from({ length: size }, () => this.#readValue(element, depth + 1));
    }
    const [keyType, valueType] = [this.#readU8(), this.#readU8()];
    const size = this.#readSize(typeIds.string);
    if (size > 0 && (keyType !== typeIds.string || valueType !== typeIdOf(element)))
      throw new ThriftReadError(`no ${type}`);
    const map = new Map<string, unknown>();
    for (let left = size; left > 0; left -= 1)
      map.set(this.#decode(this.#readBinary()), this.#readValue(element, depth + 1));
    return map;
  }

  #skip(type: number, depth: number): void {
    if (depth > nestingMax) throw new ThriftReadError(`more than ${nestingMax} levels`);
    const bytes = bytesOf[type];
    if (bytes !== undefined) return void this.#take(bytes);
    switch (type) {
      case typeIds.string:
        return void this.#readBinary();
      case typeIds.struct:
        for (let field = this.#readU8(); field !== typeIds.stop; field = this.#readU8()) {
          this.#take(2);
          this.#skip(field, depth + 1);
        }
        return;
      case typeIds.map: {
        const [key, value] = [this.#readU8(), this.#readU8()];
        for (let left = this.#readSize(key); left > 0; left -= 1) {
          this.#skip(key, depth + 1);
          this.#skip(value, depth + 1);
        }
        return;
      }
      case typeIds.set:
      case typeIds.list: {
        const element = this.#readU8();
        for (let left = this.#readSize(element); left > 0; left -= 1) this.#skip(element, depth + 1);
        return;
      }
      default:
        throw new ThriftReadError(`no type has the number ${type}`);
    }
  }

  /** Of a container: each element takes at least its type's bytes. */
  #readSize(elementType: number): number {
    const size = this.readI32();
    const bytesEach = bytesOf[elementType] ?? (elementType === typeIds.string ? 4 : 1);
    if (size < 0 || size * bytesEach > this.#left)
      throw new ThriftReadError(`a container of ${size} elements`);
    this.#elementsLeft -= size;
    if (this.#elementsLeft < 0) throw new ThriftReadError(`more than ${elementsMax} elements`);
    return size;
  }

  #readU8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  #readI16(): number {
    return this.#view.getInt16(this.#take(2));
  }

  #readBinary(): Uint8Array {
    const length = this.readI32();
    if (length < 0) throw new ThriftReadError(`a text of ${length} bytes`);
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes);
    } catch (cause) {
      throw new ThriftReadError('a text that is no UTF-8', { cause });
    }
  }

  get #left(): number {
    return this.#bytes.length - this.#at;
  }

  #take(length: number): number {
    if (length > this.#left) throw new ThriftReadError('the message ends early');
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

const bytesOf: Readonly<Record<number, number>> = {
  [typeIds.bool]: 1,
  [typeIds.i8]: 1,
  [typeIds.i16]: 2,
  [typeIds.i32]: 4,
  [typeIds.i64]: 8,
  [typeIds.double]: 8,
};

interface KnownField {
  readonly key: string;
  readonly type: string;
  readonly typeId: number;
}

const tables = new Map<StructName, ReadonlyMap<number, KnownField>>();

/** By number. */
export function fieldsOf(name: StructName): ReadonlyMap<number, KnownField> {
  const known = tables.get(name);
  if (known !== undefined) return known;
  const entries = Object.entries(
    structs[name] as Structs[StructName] & Record<string, readonly [number, string]>,
  );
  const table = new Map(entries.map(([key, [id, type]]) => [id, { key, type, typeId: typeIdOf(type) }]));
  tables.set(name, table);
  return table;
}

export function splitType(type: string): { kind: 'list' | 'map' | 'struct'; element: string } {
  const list = /^list<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) return { kind: 'list', element: list };
  const map = /^map<string,(.*)>$/.exec(type)?.[1];
  return map === undefined ? { kind: 'struct', element: type } : { kind: 'map', element: map };
}

export function typeIdOf(type: string): number {
  if (type === 'binary') return typeIds.string;
  if (Object.hasOwn(typeIds, type)) return typeIds[type as keyof typeof typeIds]; // Just looked up.
  return typeIds[splitType(type).kind];
}
