/** Makes a table or view known. Whoever wrote its files, or will, tells what it is; here it gets its name. */
import crypto from 'node:crypto';
import { ApiError, type RequestOf, type routes } from '@headrace/api';
import type { BlobStore } from '../blobs/blob-store.ts';
import { foreignKeyViolation, type Querier, sqlState } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { requireSchema } from './change-schemas.ts';
import { deleteChosen, isDiscarded } from './chosen-store.ts';
import { placeExternalTable } from './external-place.ts';
import {
  chooseManagedFolder,
  findManagedFolder,
  findManagedKey,
  rootOfOwnFolder,
  spellLocation,
} from './managed-location.ts';
import { foldName, formatSchemaName, formatTableName, type TableName } from './names.ts';
import { missing, taken } from './problems.ts';
import type { Stamp } from './rows.ts';
import type { SchemaRow } from './schema-store.ts';
import { findTableById, insertTable, isLocationTaken, type NewTable, type TableRow } from './table-store.ts';

type CreateRequest = RequestOf<(typeof routes)['tablesCreate']>;

export async function createTable(
  services: Services,
  request: CreateRequest,
  stamp: Stamp,
): Promise<TableRow> {
  const name = {
    catalog: foldName(request.catalog_name),
    schema: foldName(request.schema_name),
    table: foldName(request.name),
  };
  const schema = await requireSchema(services.db, name);
  const table: NewTable = {
    id: crypto.randomUUID(),
    name: name.table,
    tableType: request.table_type,
    dataSourceFormat: readFormat(request),
    columns: request.columns ?? [],
    storageLocation: await placeTable(services, request, { schema, name }),
    viewDefinition: request.view_definition ?? null,
    comment: request.comment ?? null,
    properties: request.properties ?? {},
    headrace: request.headrace ?? {},
  };
  const work = services.db.transaction(async (client) => {
    if (!(await insertTable(client, schema.id, table, stamp))) throw taken('Table', formatTableName(name));
    await claimFolder(services, client, table);
  });
  await work.catch((error) => {
    throw sqlState(error) === foreignKeyViolation ? missing('Schema', formatSchemaName(name)) : error;
  });
  const row = await findTableById(services.db, table.id);
  if (!row) throw missing('Table', formatTableName(name)); // Deleted again by someone else already.
  return row;
}

/** The loop of abandoned folders takes a folder, or this does: never both. */
async function claimFolder(
  { blobs }: Services,
  client: Querier,
  { tableType, storageLocation }: NewTable,
): Promise<void> {
  if (tableType !== 'MANAGED' || storageLocation === null) return;
  await deleteChosen(client, spellLocation(storageLocation));
  const folder = findManagedFolder(blobs, storageLocation);
  if (folder === null || !(await isDiscarded(client, [folder]))) return;
  throw new ApiError(
    'INVALID_STATE',
    'storage_location: its files are being removed, since what wrote them had ended: write the table again',
  );
}

const isView = ({ table_type }: CreateRequest) => table_type === 'VIEW';

function readFormat(request: CreateRequest): string | null {
  return isView(request) ? null : (request.data_source_format ?? 'DELTA').toUpperCase();
}

async function placeTable(
  services: Services,
  request: CreateRequest,
  { schema, name }: { schema: SchemaRow; name: TableName },
): Promise<string | null> {
  const { blobs, db } = services;
  const location = request.storage_location || null;
  if (isView(request)) {
    if (!request.view_definition)
      throw new ApiError('INVALID_PARAMETER_VALUE', 'view_definition: is missing, a view needs one');
    return null;
  }
  if (request.table_type !== 'MANAGED') {
    if (location === null) {
      throw new ApiError(
        'INVALID_PARAMETER_VALUE',
        `storage_location: is missing, a table of type ${request.table_type} needs one`,
      );
    }
    return placeExternalTable(services, location);
  }
  if (location === null) return chooseManagedFolder(services, schema, name);
  // The folder goes when the table is deleted, so it must be one of ours and nobody else's.
  if (!isOneOfOurs(blobs, schema, location)) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      'storage_location: a managed table lives where table-locations says, or nowhere yet',
    );
  }
  if (await isLocationTaken(db, spellLocation(location))) {
    // A client that repeats its request finds its own first try by this code.
    throw new ApiError(
      'RESOURCE_ALREADY_EXISTS',
      `storage_location: another table lives there already; ${formatTableName(name)} was not made`,
    );
  }
  return location;
}

function isOneOfOurs(blobs: BlobStore, { managedRoot }: SchemaRow, location: string): boolean {
  if (findManagedKey(blobs, location) !== null) return true;
  const folder = findManagedFolder(blobs, location);
  return folder !== null && rootOfOwnFolder(folder) === managedRoot;
}
