/** The inputs of a for-each: a JSON array, written out or made by references that are resolved by now. */
import type { JsonValue } from '../run/state.ts';
import { quoteText } from './quote-text.ts';

/** As the Jobs API documents it. */
export const inputsMax = 5_000;
/** They are kept with the run and read with it: 5,000 inputs of 800 bytes fit. */
export const inputsBytesMax = 4 * 1024 * 1024;
/** As for every document that is stored. */
const levelsMax = 100;

export type ParsedInputs = { readonly inputs: readonly JsonValue[] } | { readonly problem: string };

export function parseInputs(text: string): ParsedInputs {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > inputsBytesMax) {
    return { problem: `the inputs take ${bytes} bytes; at most ${inputsBytesMax} are allowed` };
  }
  const parsed = parseJson(text);
  if (parsed === undefined) {
    const got = text.trim() === '' ? 'the text is empty' : `got ${quoteText(text)}`;
    return { problem: `the inputs are not JSON; expected a JSON array, ${got}` };
  }
  if (!isArray(parsed)) {
    return { problem: `the inputs are not a JSON array but ${nameKind(parsed)}: ${quoteText(text)}` };
  }
  if (parsed.length > inputsMax) {
    return { problem: `there are ${parsed.length} inputs; at most ${inputsMax} are allowed` };
  }
  const problem = findLossyInput(parsed);
  return problem === null ? { inputs: parsed } : { problem };
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue; // What JSON.parse gives is JSON.
  } catch {
    // The engine's sentence names positions in a text that nobody sees; ours quotes the text.
    return undefined;
  }
}

/** `Array.isArray` does not narrow a readonly array. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function nameKind(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

/** Numbers that were rounded when they were read: an id would name something else. Level by level, not by calls. */
function findLossyInput(inputs: readonly JsonValue[]): string | null {
  let level = inputs.map((value, index) => ({ value, index }));
  for (let depth = 1; level.length > 0; depth++) {
    const next: typeof level = [];
    for (const { value, index } of level) {
      if (typeof value === 'number' && isRounded(value)) {
        return `input ${index} holds a number that is too large to be kept exactly; write it as a text`;
      }
      if (typeof value !== 'object' || value === null) continue;
      if (depth >= levelsMax) return `input ${index} is nested more than ${levelsMax} levels deep`;
      for (const part of Object.values(value)) next.push({ value: part, index });
    }
    level = next;
  }
  return null;
}

function isRounded(value: number): boolean {
  return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
}
