import { ApiError, type Handlers, type routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import { sqlState, uniqueViolation } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { createTable } from './create-table.ts';
import { dropTable } from './delete-tables.ts';
import { makeManagedKey } from './managed-location.ts';
import { readNamePage } from './name-pages.ts';
import { foldName, formatTableName, parseTableName, type TableName } from './names.ts';
import { missing, taken } from './problems.ts';
import { requireSchema } from './schema-handlers.ts';
import { findTable, findTableById, listTables, type TableRow, updateTable } from './table-store.ts';
import { toTableInfo } from './wire.ts';

type AllHandlers = Handlers<typeof routes, RequestContext>;
type TableHandlers = Pick<
  AllHandlers,
  | 'tablesCreate'
  | 'tablesGet'
  | 'tablesList'
  | 'tablesUpdate'
  | 'tablesDelete'
  | 'tablesExists'
  | 'tableLocationsCreate'
>;
type UpdateRequest = Parameters<AllHandlers['tablesUpdate']>[0];

export function createTableHandlers(services: Services): TableHandlers {
  const { db, blobs } = services;
  return {
    async tablesCreate(request, { principal, nowMs }) {
      return toTableInfo(await createTable(services, request, { by: principal.userName, atMs: nowMs }));
    },
    async tablesGet({ full_name }) {
      return toTableInfo(await requireTable(services, parseTableName(full_name)));
    },
    async tablesList(request) {
      const schema = { catalog: foldName(request.catalog_name), schema: foldName(request.schema_name) };
      await requireSchema(services, schema);
      const { rows, next } = await readNamePage(request, (page) => listTables(db, schema, page));
      return { tables: rows.map((row) => toTableInfo(omitFields(row, request))), ...next };
    },
    tablesUpdate: (request, context) => changeTable(services, request, context),
    async tablesDelete({ full_name }, { nowMs }) {
      await dropTable(services, parseTableName(full_name), nowMs);
      return {};
    },
    async tablesExists({ full_name }) {
      return { table_exists: (await findTable(db, parseTableName(full_name))) !== null };
    },
    async tableLocationsCreate({ full_name }) {
      const name = parseTableName(full_name);
      await requireSchema(services, name);
      return { location: blobs.locate(makeManagedKey(name)) };
    },
  };
}

async function requireTable(services: Services, name: TableName): Promise<TableRow> {
  const row = await findTable(services.db, name);
  if (row) return row;
  await requireSchema(services, name);
  throw missing('Table', formatTableName(name));
}

function omitFields(row: TableRow, request: { omit_columns: boolean; omit_properties: boolean }): TableRow {
  return {
    ...row,
    ...(request.omit_columns ? { columns: [], headrace: {} } : {}),
    ...(request.omit_properties ? { properties: {} } : {}),
  };
}

async function changeTable(services: Services, request: UpdateRequest, { principal, nowMs }: RequestContext) {
  const { db } = services;
  const name = parseTableName(request.full_name);
  const target: TableName = {
    catalog: name.catalog,
    schema: foldName(request.new_schema_name ?? name.schema),
    table: foldName(request.new_name ?? name.table),
  };
  if (request.view_definition !== undefined && (await requireTable(services, name)).tableType !== 'VIEW') {
    throw new ApiError('INVALID_PARAMETER_VALUE', `view_definition: ${formatTableName(name)} is no view`);
  }
  const { owner = null, comment = null, columns = null, properties = null, headrace = null } = request;
  const changes = {
    name: target.table === name.table ? null : target.table,
    schemaId: target.schema === name.schema ? null : (await requireSchema(services, target)).id,
    ...{ owner, comment, columns, properties, headrace },
    viewDefinition: request.view_definition ?? null,
  };
  const id = await updateTable(db, name, changes, { by: principal.userName, atMs: nowMs }).catch((error) => {
    throw sqlState(error) === uniqueViolation ? taken('Table', formatTableName(target)) : error;
  });
  const row = id === null ? null : await findTableById(db, id);
  if (!row) throw missing('Table', formatTableName(name));
  return toTableInfo(row);
}
