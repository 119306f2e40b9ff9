import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitArrowStream } from './arrow-stream.ts';
import { fieldsOf, readCall, splitType, ThriftReadError } from './read-thrift.ts';
import { calls, type Struct, type StructName, structs } from './structs.ts';
import { arrowStream, writeCall } from './testing/calls.ts';

const structNames = Object.keys(structs) as StructName[];

/** Values of a type by its name. Parameters nest in themselves, so depth is cut off. */
function arbitraryOf(type: string, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'bool':
      return fc.boolean();
    case 'i8':
      return fc.integer({ min: -128, max: 127 });
    case 'i16':
      return fc.integer({ min: -32_768, max: 32_767 });
    case 'i32':
      return fc.integer();
    case 'i64':
      return fc.maxSafeInteger();
    case 'double':
      return fc.double({ noNaN: true });
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 30 });
    case 'binary':
      return fc.uint8Array({ maxLength: 20_000 }).map((bytes) => Buffer.from(bytes));
  }
  const { kind, element } = splitType(type);
  if (kind === 'struct') return structOf(type as StructName, depth);
  const value = arbitraryOf(element, depth + 1);
  if (kind === 'list') return fc.array(value, { maxLength: depth > 3 ? 0 : 3 });
  return fc
    .array(fc.tuple(fc.string(), value), { maxLength: depth > 3 ? 0 : 3 })
    .map((pairs) => new Map(pairs));
}

function structOf(name: StructName, depth = 0): fc.Arbitrary<Record<string, unknown>> {
  const fields = [...fieldsOf(name).values()].filter(({ type }) => depth < 4 || !/^(list|map|T)/.test(type));
  return fc.record(Object.fromEntries(fields.map(({ key, type }) => [key, arbitraryOf(type, depth + 1)])), {
    requiredKeys: [],
  });
}

const anyStruct = fc
  .constantFrom(...structNames)
  .chain((name) => structOf(name).map((value) => ({ name, value: value as Struct<StructName> })));

/** A value, or the error that every broken message ends in. */
function tryRead(bytes: Uint8Array): void {
  try {
    const call = readCall(bytes);
    for (const [request] of Object.values(calls)) {
      call.readArgument(request);
      break;
    }
  } catch (error) {
    expect(error).toBeInstanceOf(ThriftReadError);
  }
}

test('what is written is read again', () => {
  fc.assert(
    fc.property(anyStruct, ({ name, value }) => {
      const call = readCall(writeCall('Any', name, value));

      expect(call).toMatchObject({ name: 'Any', sequence: 7 });
      expect(normalise(call.readArgument(name))).toEqual(normalise(value));
    }),
    { numRuns: 300 },
  );
});

test('any bytes are a call, or are refused as none', () => {
  const head = fc.constant(Uint8Array.from(Buffer.from('80010001000000024f70000000000c0001', 'hex')));
  fc.assert(
    fc.property(head, fc.boolean(), fc.uint8Array({ maxLength: 300 }), (start, hasHead, rest) => {
      tryRead(hasHead ? Buffer.concat([start, rest]) : rest);
    }),
    { numRuns: 2_000 },
  );
});

test('a message that was cut short or changed at places is read, or refused as none', () => {
  const change = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(
      structOf('TExecuteStatementReq'),
      fc.array(change, { maxLength: 4 }),
      fc.nat(),
      (value, changes, cut) => {
        const bytes = writeCall('Any', 'TExecuteStatementReq', value as Struct<'TExecuteStatementReq'>);
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        tryRead(cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('an Arrow stream that was cut short or changed ends in an error, never without end', () => {
  const change = fc.record({
    at: fc.nat({ max: arrowStream.length - 1 }),
    byte: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 4 }), fc.nat({ max: arrowStream.length }), (changes, end) => {
      const bytes = Buffer.from(arrowStream.subarray(0, end));
      for (const { at, byte } of changes) if (at < end) bytes[at] = byte;
      try {
        splitArrowStream(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 2_000 },
  );
});

/** Bytes compare by content, and nothing else changes. */
function normalise(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, normalise(item)]));
  if (Array.isArray(value)) return value.map(normalise);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normalise(item)]));
}
