/** Names of catalogs, schemas and tables: case does not count, so they are kept in lower case. */
import { ApiError } from '@headrace/api';

export interface SchemaName {
  readonly catalog: string;
  readonly schema: string;
}

export interface TableName extends SchemaName {
  readonly table: string;
}

export const foldName = (name: string): string => name.toLowerCase();

export function parseSchemaName(fullName: string): SchemaName {
  const [catalog, schema, ...rest] = splitName(fullName);
  if (!catalog || !schema || rest.length > 0) throw notAName(fullName, 'catalog.schema');
  return { catalog, schema };
}

export function parseTableName(fullName: string): TableName {
  const [catalog, schema, table, ...rest] = splitName(fullName);
  if (!catalog || !schema || !table || rest.length > 0) throw notAName(fullName, 'catalog.schema.table');
  return { catalog, schema, table };
}

const splitName = (fullName: string): string[] => foldName(fullName).split('.');

function notAName(fullName: string, form: string): ApiError {
  return new ApiError(
    'INVALID_PARAMETER_VALUE',
    `full_name: "${fullName.slice(0, 200)}" is not of the form ${form}`,
  );
}

export const formatSchemaName = ({ catalog, schema }: SchemaName): string => `${catalog}.${schema}`;
export const formatTableName = ({ catalog, schema, table }: TableName): string =>
  `${catalog}.${schema}.${table}`;
