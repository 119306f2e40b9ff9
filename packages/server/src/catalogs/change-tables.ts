/** Reading and changing tables and views; making and dropping them have files of their own. */
import { ApiError, catalogPageMax, type RequestOf, type routes } from '@headrace/api';
import { type Querier, sqlState, uniqueViolation } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { requireSchema } from './change-schemas.ts';
import { insertChosen } from './chosen-store.ts';
import { placeExternalTable } from './external-place.ts';
import { chooseManagedFolder } from './managed-location.ts';
import { type NamePage, readNamePage } from './name-pages.ts';
import { foldName, formatTableName, parseTableName, type TableName } from './names.ts';
import { missing, taken } from './problems.ts';
import type { Stamp } from './rows.ts';
import { findTable, findTableById, listTables, type TableRow, updateTable } from './table-store.ts';

/** Says which level is missing. */
export async function requireTable(db: Querier, name: TableName): Promise<TableRow> {
  const row = await findTable(db, name);
  if (row) return row;
  await requireSchema(db, name);
  throw missing('Table', formatTableName(name));
}

export async function requireTableById(db: Querier, id: string): Promise<TableRow> {
  const row = await findTableById(db, id);
  if (!row) throw missing('Table', id);
  return row;
}

export async function hasTable(db: Querier, name: TableName): Promise<boolean> {
  return (await findTable(db, name)) !== null;
}

/** Of a list of names and kinds, some 400 bytes each: SHOW TABLES of a large schema waits for few pages. */
const briefPageMax = 5_000;

type ListRequest = RequestOf<(typeof routes)['tablesList']>;

export async function listTablePage(db: Querier, request: ListRequest): Promise<NamePage<TableRow>> {
  const name = { catalog: foldName(request.catalog_name), schema: foldName(request.schema_name) };
  const schema = { ...name, id: (await requireSchema(db, name)).id };
  const { omit_columns: omitColumns, omit_properties: omitProperties } = request;
  return readNamePage(
    request,
    (page) => listTables(db, schema, { ...page, omitColumns, omitProperties }),
    omitColumns && omitProperties ? briefPageMax : catalogPageMax,
  );
}

/**
 * A folder for a managed table that is about to be written, or the external one that was asked for, if it is allowed.
 * Remembered until the table has its name, so that it goes where it never gets one.
 */
export async function chooseLocation(
  services: Pick<Services, 'db' | 'blobs' | 'config'>,
  { full_name, storage_location }: RequestOf<(typeof routes)['tableLocationsCreate']>,
  { attemptId, nowMs }: { readonly attemptId: number | null; readonly nowMs: number },
): Promise<string> {
  const name = parseTableName(full_name);
  const schema = await requireSchema(services.db, name);
  if (storage_location !== undefined) return placeExternalTable(services, storage_location);
  const folder = await chooseManagedFolder(services, schema, name);
  await insertChosen(services.db, { folder, attemptId }, nowMs);
  return folder;
}

export async function changeTable(
  db: Querier,
  request: RequestOf<(typeof routes)['tablesUpdate']>,
  stamp: Stamp,
): Promise<TableRow> {
  const name = parseTableName(request.full_name);
  const target: TableName = {
    catalog: name.catalog,
    schema: foldName(request.new_schema_name ?? name.schema),
    table: foldName(request.new_name ?? name.table),
  };
  if (request.view_definition !== undefined && (await requireTable(db, name)).tableType !== 'VIEW') {
    throw new ApiError('INVALID_PARAMETER_VALUE', `view_definition: ${formatTableName(name)} is no view`);
  }
  const { owner = null, comment = null, columns = null, properties = null, headrace = null } = request;
  const changes = {
    name: target.table === name.table ? null : target.table,
    schemaId: target.schema === name.schema ? null : (await requireSchema(db, target)).id,
    owner,
    comment,
    columns,
    properties,
    headrace,
    viewDefinition: request.view_definition ?? null,
  };
  const id = await updateTable(db, name, changes, stamp).catch((error) => {
    throw sqlState(error) === uniqueViolation ? taken('Table', formatTableName(target)) : error;
  });
  const row = id === null ? null : await findTableById(db, id);
  if (!row) throw missing('Table', formatTableName(name));
  return row;
}
