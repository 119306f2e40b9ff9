/** Deleting tables, alone or with their schema or catalog. Their rows are kept for UNDROP, and their files with them. */
import { foreignKeyViolation, type Querier, sqlState } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { countVolumes, dropVolumesBelow } from '../volumes/change-volumes.ts';
import { finishMoves } from '../volumes/move-folders.ts';
import { deleteCatalog, lockCatalog } from './catalog-store.ts';
import { discardManaged, removeAll } from './discard-managed.ts';
import { type DeletedTable, type Dropped, dropTables } from './dropped-store.ts';
import { formatSchemaName, formatTableName, type SchemaName, type TableName } from './names.ts';
import { missing, notEmpty } from './problems.ts';
import type { Stamp } from './rows.ts';
import { deleteSchema, lockSchema, lockSchemasOfCatalog } from './schema-store.ts';
import { countTables } from './table-store.ts';

export async function dropTable(
  services: Services,
  name: TableName,
  { purge, stamp }: { purge: boolean; stamp: Stamp },
): Promise<void> {
  const isKept = !purge && keepsDropped(services);
  const discarded = await services.db.transaction(async (client) => {
    const deleted = await dropTables(client, { name }, { isKept, stamp });
    if (deleted.length === 0) throw missing('Table', formatTableName(name));
    return isKept ? [] : discardManaged(services, client, deleted, stamp.atMs);
  });
  await removeAll(discarded);
}

export async function dropSchema(
  services: Services,
  name: SchemaName,
  { force, stamp }: { force: boolean; stamp: Stamp },
): Promise<void> {
  const fullName = formatSchemaName(name);
  const nowMs = stamp.atMs;
  const work = services.db.transaction(async (client) => {
    const schema = await lockSchema(client, name);
    if (!schema) throw missing('Schema', fullName);
    const tables = await countTables(client, schema.id);
    const volumes = await countVolumes(client, schema.id);
    if (tables + volumes > 0 && !force)
      throw notEmpty('Schema', fullName, `${tables} tables and ${volumes} volumes`);
    const deleted = await dropAll(services, client, { schemaId: schema.id }, stamp);
    await dropVolumesBelow(services, client, { schemaId: schema.id, catalogId: null, nowMs });
    await deleteSchema(client, schema.id);
    return discardManaged(services, client, deleted, nowMs);
  });
  await removeAll(
    await work.catch((error) => refuseWhenRefilled(error, notEmpty('Schema', fullName, 'a new table'))),
  );
  await finishMoves(services);
}

/** A catalog that holds nothing but an empty schema `default`, as it was made, counts as empty. */
export async function dropCatalog(
  services: Services,
  name: string,
  { force, stamp }: { force: boolean; stamp: Stamp },
): Promise<void> {
  const nowMs = stamp.atMs;
  const work = services.db.transaction(async (client) => {
    const catalog = await lockCatalog(client, name);
    if (!catalog) throw missing('Catalog', name);
    const schemas = await lockSchemasOfCatalog(client, catalog.id);
    const content = schemas.filter((schema) => schema.name !== 'default' || schema.objects > 0);
    if (content.length > 0 && !force) throw notEmpty('Catalog', name, `${content.length} schemas`);
    const deleted: DeletedTable[] = [];
    await dropVolumesBelow(services, client, { schemaId: null, catalogId: catalog.id, nowMs });
    for (const schema of schemas) {
      deleted.push(...(await dropAll(services, client, { schemaId: schema.id }, stamp)));
      await deleteSchema(client, schema.id);
    }
    await deleteCatalog(client, catalog.id);
    return discardManaged(services, client, deleted, nowMs);
  });
  await removeAll(
    await work.catch((error) => refuseWhenRefilled(error, notEmpty('Catalog', name, 'a new schema'))),
  );
  await finishMoves(services);
}

const keepsDropped = ({ config }: Services) => config.droppedTablesKeptHours > 0;

/** Those whose files go at once. */
async function dropAll(
  services: Services,
  client: Querier,
  dropped: Dropped,
  stamp: Stamp,
): Promise<DeletedTable[]> {
  const isKept = keepsDropped(services);
  const deleted = await dropTables(client, dropped, { isKept, stamp });
  return isKept ? [] : deleted;
}

/** Something was made inside between our look and the delete. */
function refuseWhenRefilled(error: unknown, refusal: Error): never {
  throw sqlState(error) === foreignKeyViolation ? refusal : error;
}
