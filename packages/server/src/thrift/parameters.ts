/** Parameters as the engine takes them: all named, or all by position. */
import { ApiError } from '@headrace/api';
import { requireType } from '../statements/parameters.ts';
import type { StatementParameter } from '../statements/ports.ts';
import type { Struct } from './structs.ts';

const parametersMax = 10_000;

export function readParameters(parameters: readonly Struct<'TSparkParameter'>[]): StatementParameter[] {
  if (parameters.length > parametersMax)
    throw new ApiError('INVALID_PARAMETER_VALUE', `more than ${parametersMax} parameters`);
  const read = parameters.map(readParameter);
  const named = read.filter(({ name }) => name !== null).length;
  if (named > 0 && named < read.length)
    throw new ApiError('INVALID_PARAMETER_VALUE', 'parameters have names all, or none');
  return read;
}

function readParameter(parameter: Struct<'TSparkParameter'>, index: number): StatementParameter {
  const { name, type, value, arguments: parts } = parameter;
  const typeName = type?.trim().toUpperCase() || 'STRING';
  if (collections.has(typeName)) {
    const elements = readElements(typeName, parts ?? [], { name: name ?? String(index + 1), depth: 1 });
    return { name: name || null, type: typeName, value: JSON.stringify(elements) };
  }
  requireType(typeName, name);
  const text = value?.stringValue ?? value?.doubleValue ?? value?.booleanValue ?? null;
  const isNull = typeName === 'VOID' || text === null;
  return { name: name || null, type: typeName, value: isNull ? null : String(text) };
}

/** What the value of an array or a map is: its elements, or its keys and values in turn. */
interface Element {
  readonly type: string;
  readonly value: string | null | readonly Element[];
}

type Part = Struct<'TSparkParameterValueArg'>;

const collections = new Set(['ARRAY', 'MAP']);
/** More is no value that somebody writes down. */
const depthMax = 10;
/** Of one parameter on each of its levels; each becomes a part of a text that Spark reads. */
const elementsMax = 10_000;

function readElements(
  type: string,
  parts: readonly Part[],
  { name, depth }: { readonly name: string; readonly depth: number },
): Element[] {
  const wrong = (why: string) => new ApiError('INVALID_PARAMETER_VALUE', `parameter ${name}: ${why}`);
  if (depth > depthMax) throw wrong(`more than ${depthMax} arrays and maps within each other`);
  if (parts.length > elementsMax) throw wrong(`more than ${elementsMax} elements`);
  if (type === 'MAP' && parts.length % 2 > 0) throw wrong('a map has a value for each key');
  return parts.map((part) => {
    const typeName = part.type?.trim().toUpperCase() || 'STRING';
    if (collections.has(typeName)) {
      const value = readElements(typeName, part.arguments ?? [], { name, depth: depth + 1 });
      return { type: typeName, value };
    }
    requireType(typeName, name);
    return { type: typeName, value: typeName === 'VOID' ? null : (part.value ?? null) };
  });
}
