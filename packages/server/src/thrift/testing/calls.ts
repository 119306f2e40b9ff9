/** Calls as clients send them, and answers read back, for tests. */

import { readCall } from '../read-thrift.ts';
import {
  type CallName,
  calls,
  type RequestOf,
  type ResponseOf,
  type Struct,
  type StructName,
} from '../structs.ts';
import { writeReply } from '../write-thrift.ts';

/** A call differs from a reply in its kind and in its argument's number. */
function turn(parts: readonly Uint8Array[], { kind, field }: { kind: number; field: number }): Buffer {
  const bytes = Buffer.concat(parts);
  const nameBytes = bytes.readInt32BE(4);
  bytes.writeUInt8(kind, 3);
  bytes.writeInt16BE(field, 4 + 4 + nameBytes + 4 + 1);
  return bytes;
}

export function writeCall<Name extends StructName>(name: string, struct: Name, value: Struct<Name>): Buffer {
  return turn(writeReply({ name, sequence: 7 }, struct, value), { kind: 1, field: 1 });
}

export function callOf<Name extends CallName>(name: Name, request: RequestOf<Name>) {
  const call = readCall(writeCall(name, calls[name][0] as StructName, request as Struct<never>));
  return { ...call, name };
}

export function readAnswer<Name extends CallName>(
  name: Name,
  parts: readonly Uint8Array[],
): ResponseOf<Name> {
  const call = readCall(turn(parts, { kind: 1, field: 1 }));
  return call.readArgument(calls[name][1]) as ResponseOf<Name>;
}

/** Two columns, a INT and b STRING, and the rows (1, x), (2, null), (3, z), and (4, w) in a batch of its own. */
export const arrowStream = Buffer.from(
  '/////6gAAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAIAAABAAAAABAAAANj///8AAAEFEAAAABgAAAAEAAAAAAAAAAEAAABiAAAABAAEAAQAAAAQABQACAAGAAcADAAAABAAEAAAAAAAAQIQAAAAHAAAAAQAAAAAAAAAAQAAAGEAAAAIAAwACAAHAAgAAAAAAAABIAAAAAAAAAD/////yAAAABQAAAAAAAAADAAWAAYABQAIAAwADAAAAAADBAAYAAAAMAAAAAAAAAAAAAoAGAAMAAQACAAKAAAAbAAAABAAAAADAAAAAAAAAAAAAAAFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAQAAAAAAAAAAEAAAAAAAAAGAAAAAAAAAAQAAAAAAAAACgAAAAAAAAAAgAAAAAAAAAAAAAAAgAAAAMAAAAAAAAAAAAAAAAAAAADAAAAAAAAAAEAAAAAAAAAAQAAAAIAAAADAAAAAAAAAAUAAAAAAAAAAAAAAAEAAAABAAAAAgAAAHh6AAAAAAAA/////8gAAAAUAAAAAAAAAAwAFgAGAAUACAAMAAwAAAAAAwQAGAAAABgAAAAAAAAAAAAKABgADAAEAAgACgAAAGwAAAAQAAAAAQAAAAAAAAAAAAAABQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAACAAAAAAAAAAAAAAAAAAAAAgAAAAAAAAACAAAAAAAAAAQAAAAAAAAAAEAAAAAAAAAAAAAAAIAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAEAAAB3AAAAAAAAAP////8AAAAA',
  'base64',
);
