/**
 * Scalars as clients really send them. Airflow sends numbers as texts and booleans as Python writes them, so each
 * request field of these kinds accepts both. No schema here may change a value that already has its right type.
 */
import { z } from 'zod';

const booleanTexts: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
]);

function readInteger(value: number | string): unknown {
  return typeof value === 'string' && /^[+-]?\d{1,16}$/.test(value) ? Number(value) : value;
}

function readBoolean(value: boolean | string): unknown {
  return typeof value === 'string' ? (booleanTexts.get(value) ?? value) : value;
}

/** A whole number below 2^53, also written as a text. */
export const wireInt = z.preprocess(readInteger, z.int());

/** A whole number from `min` to `max` (default: 2^53 - 1). */
export function wireIntBetween(range: { min: number; max?: number }) {
  return z.preprocess(
    readInteger,
    z
      .int()
      .min(range.min)
      .max(range.max ?? Number.MAX_SAFE_INTEGER),
  );
}

/** An id: a positive whole number below 2^53. */
export const wireId = wireIntBetween({ min: 1 });

/** A boolean, also written as a text, in Python's spelling too. */
export const wireBool = z.preprocess(readBoolean, z.boolean());

function writeScalar(value: string | number | boolean): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

/** A text, also written as the number or boolean that YAML made of it. */
export const wireText = z.preprocess(writeScalar, z.string());

/** One of some texts; YAML makes booleans of two of them. */
export function wireOneOf<const Values extends readonly string[]>(values: Values) {
  return z.preprocess(writeScalar, z.enum(values));
}

/** An object of texts. */
export const textMap = z.record(z.string(), z.string());

/** An empty reply. */
export const Nothing = z.looseObject({});

/** Instants on the wire: milliseconds since 1970. */
export const epochMs = z.int();

/** Any JSON: stored and returned as it is. */
export const JsonValue = z.json();
export type JsonValue = z.output<typeof JsonValue>;
