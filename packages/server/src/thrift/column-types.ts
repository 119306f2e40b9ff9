/** Types of columns as Thrift numbers them (TTypeId), and as JDBC does (java.sql.Types) in lists of columns. */
import type { ResultColumn } from '../statements/ports.ts';
import type { Struct } from './structs.ts';

type TypedColumn = Pick<ResultColumn, 'name' | 'typeName' | 'precision' | 'scale'> &
  Partial<Pick<ResultColumn, 'intervalType'>>;

const typeIds: Readonly<Record<string, number>> = {
  ...{ BOOLEAN: 0, BYTE: 1, SHORT: 2, INT: 3, LONG: 4, FLOAT: 5, DOUBLE: 6, STRING: 7 },
  ...{ TIMESTAMP: 8, TIMESTAMP_NTZ: 8, BINARY: 9, ARRAY: 10, MAP: 11, STRUCT: 12, DECIMAL: 15 },
  ...{ NULL: 16, DATE: 17, VARCHAR: 18, CHAR: 19 },
};
const yearMonthInterval = 20;
const dayTimeInterval = 21;
export const stringTypeId = 7;

export function toColumnDesc(column: TypedColumn, index: number): Struct<'TColumnDesc'> {
  const { precision, scale } = column;
  const type = typeIdOf(column);
  const qualifiers =
    column.typeName === 'DECIMAL'
      ? new Map([
          ['precision', { i32Value: precision ?? 10 }],
          ['scale', { i32Value: scale ?? 0 }],
        ])
      : null;
  const primitiveEntry = { type, typeQualifiers: qualifiers && { qualifiers } };
  // Positions count from 1 here.
  return { columnName: column.name, typeDesc: { types: [{ primitiveEntry }] }, position: index + 1 };
}

function typeIdOf({ typeName, intervalType }: TypedColumn): number {
  if (typeName === 'INTERVAL')
    return /^(INTERVAL )?(YEAR|MONTH)/i.test(intervalType ?? '') ? yearMonthInterval : dayTimeInterval;
  return typeIds[typeName] ?? stringTypeId;
}

/** java.sql.Types, and the digits that the type itself has. */
const jdbcTypes: Readonly<Record<string, { readonly type: number; readonly size: number | null }>> = {
  BOOLEAN: { type: 16, size: 1 },
  BYTE: { type: -6, size: 3 },
  SHORT: { type: 5, size: 5 },
  INT: { type: 4, size: 10 },
  LONG: { type: -5, size: 19 },
  FLOAT: { type: 6, size: 7 },
  DOUBLE: { type: 8, size: 15 },
  DECIMAL: { type: 3, size: null },
  STRING: { type: 12, size: null },
  VARCHAR: { type: 12, size: null },
  CHAR: { type: 1, size: null },
  BINARY: { type: -2, size: null },
  DATE: { type: 91, size: 10 },
  TIMESTAMP: { type: 93, size: 29 },
  TIMESTAMP_NTZ: { type: 93, size: 29 },
  ARRAY: { type: 2003, size: null },
  MAP: { type: 2000, size: null },
  STRUCT: { type: 2002, size: null },
  NULL: { type: 0, size: null },
};
const jdbcOther = { type: 1111, size: null };

export function toJdbcType(typeName: string): { readonly type: number; readonly size: number | null } {
  return jdbcTypes[typeName] ?? jdbcOther;
}

/** As GetTypeInfo names them. */
const sqlNames: Readonly<Record<string, string>> = { BYTE: 'TINYINT', SHORT: 'SMALLINT', LONG: 'BIGINT' };
export const namedTypes = Object.entries(jdbcTypes).map(([name, { type, size }]) => ({
  name: sqlNames[name] ?? name,
  ...{ type, size },
}));
