/** Rows as Thrift's columns: for what the server lists itself, and for clients that read no Arrow. */
import type { ResultColumn } from '../statements/ports.ts';
import type { Struct } from './structs.ts';

/** What a list of names is made of; null is SQL's. */
export type Cell = string | number | null;

export function toNameColumn(cells: readonly Cell[], type: 'text' | 'number'): Struct<'TColumn'> {
  const nulls = toNullBits(cells);
  return type === 'number'
    ? { i32Val: { values: cells.map(Number), nulls } }
    : { stringVal: { values: cells.map((cell) => String(cell ?? '')), nulls } };
}

/** `texts` are the column's values as JSON_ARRAY has them. */
export function toColumn(
  { typeName }: Pick<ResultColumn, 'typeName'>,
  texts: readonly (string | null)[],
): Struct<'TColumn'> {
  const nulls = toNullBits(texts);
  const numbers = () => texts.map((text) => Number(text ?? 0));
  switch (typeName) {
    case 'BOOLEAN':
      return { boolVal: { values: texts.map((text) => text === 'true'), nulls } };
    case 'BYTE':
      return { byteVal: { values: numbers(), nulls } };
    case 'SHORT':
      return { i16Val: { values: numbers(), nulls } };
    case 'INT':
      return { i32Val: { values: numbers(), nulls } };
    case 'LONG':
      return { i64Val: { values: texts.map((text) => BigInt(text ?? 0)), nulls } };
    case 'FLOAT':
    case 'DOUBLE':
      return { doubleVal: { values: numbers(), nulls } };
    case 'BINARY':
      return { binaryVal: { values: texts.map((text) => Buffer.from(text ?? '', 'base64')), nulls } };
    default:
      return { stringVal: { values: texts.map((text) => text ?? ''), nulls } };
  }
}

/** Bit i of byte i/8, from the lowest on. */
function toNullBits(cells: readonly unknown[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(cells.length / 8));
  cells.forEach((cell, index) => {
    if (cell === null) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  });
  return bits;
}
