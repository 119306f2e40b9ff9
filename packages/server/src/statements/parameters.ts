/** Parameters as clients send them; what their types are is checked here, what their values are by Spark. */
import { ApiError, type RequestOf, type routes } from '@headrace/api';
import type { StatementParameter } from './ports.ts';

type Sent = NonNullable<RequestOf<typeof routes.statementsExecute>['parameters']>[number];

/** Types of one value. The name goes into a statement of its own, so nothing else may stand there. */
const typePattern =
  /^(string|boolean|tinyint|byte|smallint|short|int|integer|bigint|long|float|real|double|date|timestamp|timestamp_ltz|timestamp_ntz|binary|void|(decimal|dec|numeric)(\s*\(\s*\d{1,2}\s*(,\s*\d{1,2}\s*)?\))?|interval(\s+[a-z]+(\s+to\s+[a-z]+)?)?|(char|varchar)\s*\(\s*\d{1,6}\s*\))$/i;

export function toParameters(sent: readonly Sent[]): StatementParameter[] {
  const named = sent.filter(({ name }) => name !== undefined && name !== '');
  if (named.length > 0 && named.length < sent.length)
    throw invalid('parameters: name all of them, or none and write ? in the statement');
  const twice = named.find(({ name }, index) => named.findIndex((other) => other.name === name) !== index);
  if (twice) throw invalid(`parameters: '${twice.name}' is given twice`);
  const ordered = named.length > 0 ? sent : [...sent].sort((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0));
  return ordered.map(({ name, type = 'STRING', value }) => {
    requireType(type, name);
    return { name: name || null, type: type.trim().toUpperCase(), value: value ?? null };
  });
}

/** For the other protocol, too. */
export function requireType(type: string, name: string | null | undefined): void {
  if (typePattern.test(type.trim())) return;
  throw invalid(
    `parameters: '${name ?? '?'}' has the type '${type.slice(0, 100)}', and takes a type of one value, such as STRING, INT or DECIMAL(10,2)`,
  );
}

function invalid(message: string): ApiError {
  return new ApiError('INVALID_PARAMETER_VALUE', message);
}
