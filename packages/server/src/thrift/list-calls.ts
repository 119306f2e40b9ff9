/** Names of catalogs, schemas, tables and columns, from the metastore: no warehouse is started for a list. */
import type { Caller, FoundColumn, NameSearch, ThriftServices } from './caller.ts';
import { success } from './caller.ts';
import { type Cell, toNameColumn } from './column-sets.ts';
import { namedTypes, toColumnDesc, toJdbcType } from './column-types.ts';
import { operationTypes, readSessionId, toOperationHandle } from './handles.ts';
import type { ListOperation } from './operations.ts';
import { finished, rowSetTypes } from './results.ts';
import type { RequestOf, ResponseOf, Struct } from './structs.ts';

interface Column {
  readonly name: string;
  readonly type: 'text' | 'number';
}

interface List {
  readonly operationType: (typeof operationTypes)[keyof typeof operationTypes];
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

const texts = (...names: readonly string[]): Column[] => names.map((name) => ({ name, type: 'text' }));
const numbers = (...names: readonly string[]): Column[] => names.map((name) => ({ name, type: 'number' }));

export async function listCatalogs(names: NameSearch): Promise<List> {
  const rows = (await names.catalogs()).map((name) => [name]);
  return { operationType: operationTypes.catalogs, columns: texts('TABLE_CAT'), rows };
}

export async function listSchemas(names: NameSearch, request: RequestOf<'GetSchemas'>): Promise<List> {
  const found = await names.schemas({
    catalog: toPattern(request.catalogName),
    schema: toPattern(request.schemaName),
  });
  return {
    operationType: operationTypes.schemas,
    columns: texts('TABLE_SCHEM', 'TABLE_CATALOG'),
    rows: found.map(({ catalog, schema }) => [schema, catalog]),
  };
}

export async function listTables(names: NameSearch, request: RequestOf<'GetTables'>): Promise<List> {
  const found = await names.tables({
    catalog: toPattern(request.catalogName),
    schema: toPattern(request.schemaName),
    table: toPattern(request.tableName),
  });
  const types = request.tableTypes?.length ? request.tableTypes : tableTypes;
  const typed = found.map((table) => ({ ...table, type: table.isView ? 'VIEW' : 'TABLE' }));
  return {
    operationType: operationTypes.tables,
    columns: texts(
      ...['TABLE_CAT', 'TABLE_SCHEM', 'TABLE_NAME', 'TABLE_TYPE', 'REMARKS'],
      ...['TYPE_CAT', 'TYPE_SCHEM', 'TYPE_NAME', 'SELF_REFERENCING_COL_NAME', 'REF_GENERATION'],
    ),
    rows: typed
      .filter(({ type }) => types.includes(type))
      .map(({ catalog, schema, table, type, comment }) => [
        ...[catalog, schema, table, type, comment ?? ''],
        ...[null, null, null, null, null],
      ]),
  };
}

export async function listColumns(names: NameSearch, request: RequestOf<'GetColumns'>): Promise<List> {
  const found = await names.columns({
    catalog: toPattern(request.catalogName),
    schema: toPattern(request.schemaName),
    table: toPattern(request.tableName),
    column: toPattern(request.columnName),
  });
  return {
    operationType: operationTypes.columns,
    columns: [
      ...texts('TABLE_CAT', 'TABLE_SCHEM', 'TABLE_NAME', 'COLUMN_NAME'),
      ...[...numbers('DATA_TYPE'), ...texts('TYPE_NAME')],
      ...numbers('COLUMN_SIZE', 'BUFFER_LENGTH', 'DECIMAL_DIGITS', 'NUM_PREC_RADIX', 'NULLABLE'),
      ...[...texts('REMARKS', 'COLUMN_DEF'), ...numbers('SQL_DATA_TYPE', 'SQL_DATETIME_SUB')],
      ...[...numbers('CHAR_OCTET_LENGTH', 'ORDINAL_POSITION'), ...texts('IS_NULLABLE')],
      ...[...texts('SCOPE_CATALOG', 'SCOPE_SCHEMA', 'SCOPE_TABLE'), ...numbers('SOURCE_DATA_TYPE')],
      ...texts('IS_AUTO_INCREMENT'),
    ],
    rows: found.map(toColumnRow),
  };
}

function toColumnRow(found: FoundColumn): Cell[] {
  const { type, size } = toJdbcType(found.typeName);
  const isNumber = type === 3 || (type >= -6 && type <= 8 && type !== -2 && type !== 1);
  return [
    ...[found.catalog, found.schema, found.table, found.column, type, found.typeText],
    ...[found.precision ?? size, null, found.scale, isNumber ? 10 : null, found.isNullable ? 1 : 0],
    ...[found.comment ?? '', null, null, null],
    ...[null, found.position + 1, found.isNullable ? 'YES' : 'NO'],
    ...[null, null, null, null, 'NO'],
  ];
}

const tableTypes: readonly string[] = ['TABLE', 'VIEW'];

export function listTableTypes(): List {
  const rows = tableTypes.map((type) => [type]);
  return { operationType: operationTypes.tableTypes, columns: texts('TABLE_TYPE'), rows };
}

export function listTypes(): List {
  return {
    operationType: operationTypes.typeNames,
    columns: [...texts('TYPE_NAME'), ...numbers('DATA_TYPE', 'PRECISION')],
    rows: namedTypes.map(({ name, type, size }) => [name, type, size]),
  };
}

/** What there is none of: functions of users, and keys, which Delta does not keep. */
export function listNothing(kind: 'functions' | 'keys'): List {
  return kind === 'functions'
    ? {
        operationType: operationTypes.functions,
        columns: texts('FUNCTION_CAT', 'FUNCTION_SCHEM', 'FUNCTION_NAME', 'REMARKS'),
        rows: [],
      }
    : {
        operationType: operationTypes.unknown,
        columns: texts('TABLE_CAT', 'TABLE_SCHEM', 'TABLE_NAME', 'COLUMN_NAME'),
        rows: [],
      };
}

/** An empty name means all, as for Hive. */
function toPattern(name: string | null | undefined): string | null {
  if (!name) return null;
  return name === '*' ? '%' : name.toLowerCase();
}

/** Answered whole with the call; one that wants no direct results fetches it. */
export function answerList(
  { operations, newId }: Pick<ThriftServices, 'operations' | 'newId'>,
  request: RequestOf<'GetCatalogs'>,
  { list, principal }: { list: List; principal: Caller['principal'] },
): ResponseOf<'GetCatalogs'> {
  const { columns, rows, operationType } = list;
  const metadata: Struct<'TGetResultSetMetadataResp'> = {
    status: success,
    schema: {
      columns: columns.map(({ name, type }, index) =>
        toColumnDesc(
          { name, typeName: type === 'number' ? 'INT' : 'STRING', precision: null, scale: null },
          index,
        ),
      ),
    },
    resultFormat: rowSetTypes.columns,
    lz4Compressed: false,
    isStagingOperation: false,
  };
  const rowSet: Struct<'TRowSet'> = {
    startRowOffset: 0,
    rows: [],
    columns: columns.map(({ type }, index) =>
      toNameColumn(
        rows.map((row) => row[index] ?? null),
        type,
      ),
    ),
  };
  const id = newId();
  const operationHandle = toOperationHandle(id, { operationType, hasResultSet: true });
  if (!request.getDirectResults) {
    const sessionId = readSessionId(request.sessionHandle);
    const kept: ListOperation = {
      ...{ kind: 'list', id, principalId: principal.id, sessionId, metadata, rows: rowSet, isFetched: false },
    };
    operations.add(kept);
    return { status: success, operationHandle };
  }
  return {
    status: success,
    operationHandle,
    directResults: {
      operationStatus: finished,
      resultSetMetadata: metadata,
      resultSet: { status: success, hasMoreRows: false, results: rowSet },
      closeOperation: { status: success },
    },
  };
}
