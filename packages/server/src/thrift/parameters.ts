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
  if (parts?.length) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `parameter ${name ?? index + 1}: arrays and maps cannot be bound; bind their elements, or a JSON text for from_json`,
    );
  }
  const typeName = type?.trim().toUpperCase() || 'STRING';
  requireType(typeName, name);
  const text = value?.stringValue ?? value?.doubleValue ?? value?.booleanValue ?? null;
  const isNull = typeName === 'VOID' || text === null;
  return { name: name || null, type: typeName, value: isNull ? null : String(text) };
}
