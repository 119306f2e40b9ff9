/** Deleting tables, alone or with their schema or catalog: rows first, the folders of managed ones after the commit. */
import { type Discarded, discardInPlace } from '../blobs/discard.ts';
import { foreignKeyViolation, type Querier, sqlState } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { countVolumes, dropVolumesBelow } from '../volumes/change-volumes.ts';
import { finishMoves } from '../volumes/move-folders.ts';
import { deleteCatalog, lockCatalog } from './catalog-store.ts';
import { findManagedKey } from './managed-location.ts';
import { formatSchemaName, formatTableName, type SchemaName, type TableName } from './names.ts';
import { missing, notEmpty } from './problems.ts';
import { deleteSchema, lockSchema, lockSchemasOfCatalog } from './schema-store.ts';
import { countTables, type DeletedTable, deleteTable, deleteTablesOfSchema } from './table-store.ts';

export async function dropTable(services: Services, name: TableName, nowMs: number): Promise<void> {
  const discarded = await services.db.transaction(async (client) => {
    const deleted = await deleteTable(client, name);
    if (!deleted) throw missing('Table', formatTableName(name));
    return discardManaged(services, client, [deleted], nowMs);
  });
  await removeAll(discarded);
}

export async function dropSchema(
  services: Services,
  name: SchemaName,
  { force, nowMs }: { force: boolean; nowMs: number },
): Promise<void> {
  const fullName = formatSchemaName(name);
  const work = services.db.transaction(async (client) => {
    const schema = await lockSchema(client, name);
    if (!schema) throw missing('Schema', fullName);
    const tables = await countTables(client, schema.id);
    const volumes = await countVolumes(client, schema.id);
    if (tables + volumes > 0 && !force)
      throw notEmpty('Schema', fullName, `${tables} tables and ${volumes} volumes`);
    const deleted = await deleteTablesOfSchema(client, schema.id);
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
  { force, nowMs }: { force: boolean; nowMs: number },
): Promise<void> {
  const work = services.db.transaction(async (client) => {
    const catalog = await lockCatalog(client, name);
    if (!catalog) throw missing('Catalog', name);
    const schemas = await lockSchemasOfCatalog(client, catalog.id);
    const content = schemas.filter((schema) => schema.name !== 'default' || schema.objects > 0);
    if (content.length > 0 && !force) throw notEmpty('Catalog', name, `${content.length} schemas`);
    const deleted: DeletedTable[] = [];
    await dropVolumesBelow(services, client, { schemaId: null, catalogId: catalog.id, nowMs });
    for (const schema of schemas) {
      deleted.push(...(await deleteTablesOfSchema(client, schema.id)));
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

async function discardManaged(
  services: Services,
  client: Querier,
  tables: readonly DeletedTable[],
  nowMs: number,
): Promise<Discarded[]> {
  const discarded: Discarded[] = [];
  for (const { tableType, storageLocation } of tables) {
    const key =
      tableType === 'MANAGED' && storageLocation ? findManagedKey(services.blobs, storageLocation) : null;
    if (key !== null) discarded.push(await discardInPlace(services, client, { key, nowMs }));
  }
  return discarded;
}

async function removeAll(discarded: readonly Discarded[]): Promise<void> {
  for (const folder of discarded) await folder.remove();
}

/** Something was made inside between our look and the delete. */
function refuseWhenRefilled(error: unknown, refusal: Error): never {
  throw sqlState(error) === foreignKeyViolation ? refusal : error;
}
