/** Making, reading and changing schemas. */
import crypto from 'node:crypto';
import type { RequestOf, routes } from '@headrace/api';
import { foreignKeyViolation, type Querier, sqlState, uniqueViolation } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { followNewName } from '../volumes/change-volumes.ts';
import { finishMoves } from '../volumes/move-folders.ts';
import { findCatalog } from './catalog-store.ts';
import { getCatalog } from './change-catalogs.ts';
import { placeManagedRoot, refuseOverlap } from './managed-root.ts';
import { type NamePage, readNamePage } from './name-pages.ts';
import { foldName, formatSchemaName, parseSchemaName, type SchemaName } from './names.ts';
import { missing, taken } from './problems.ts';
import type { Stamp } from './rows.ts';
import { findSchema, insertSchema, listSchemas, type SchemaRow, updateSchema } from './schema-store.ts';

export async function createSchema(
  services: Pick<Services, 'db' | 'blobs' | 'config'>,
  request: RequestOf<(typeof routes)['schemasCreate']>,
  stamp: Stamp,
): Promise<SchemaRow> {
  const name = { catalog: foldName(request.catalog_name), schema: foldName(request.name) };
  const { db } = services;
  const catalog = await getCatalog(db, name.catalog);
  const storageRoot = await placeManagedRoot(services, request.storage_root);
  const row = {
    id: crypto.randomUUID(),
    catalogId: catalog.id,
    name: name.schema,
    comment: request.comment ?? null,
    properties: request.properties ?? {},
    storageRoot,
  };
  const work = db.transaction(async (client) => {
    if (!(await insertSchema(client, row, stamp))) throw taken('Schema', formatSchemaName(name));
    if (storageRoot === null) return;
    await refuseOverlap(services, client, { root: storageRoot, id: row.id, catalogId: catalog.id });
  });
  await work.catch((error) => {
    throw sqlState(error) === foreignKeyViolation ? missing('Catalog', name.catalog) : error;
  });
  return requireSchema(db, name);
}

/** Says which level is missing. */
export async function requireSchema(db: Querier, name: SchemaName): Promise<SchemaRow> {
  const row = await findSchema(db, name);
  if (row) return row;
  if (!(await findCatalog(db, name.catalog))) throw missing('Catalog', name.catalog);
  throw missing('Schema', formatSchemaName(name));
}

export async function listSchemaPage(
  db: Querier,
  request: RequestOf<(typeof routes)['schemasList']>,
): Promise<NamePage<SchemaRow>> {
  const { name: catalog } = await getCatalog(db, request.catalog_name);
  return readNamePage(request, (page) => listSchemas(db, { catalog, ...page }));
}

export async function changeSchema(
  services: Services,
  request: RequestOf<(typeof routes)['schemasUpdate']>,
  stamp: Stamp,
): Promise<SchemaRow> {
  const name = parseSchemaName(request.full_name);
  const newName = request.new_name === undefined ? null : foldName(request.new_name);
  const { owner = null, comment = null, properties = null } = request;
  const isRenamed = newName !== null && newName !== name.schema;
  if (isRenamed) await finishMoves(services);
  const work = services.db.transaction(async (client) => {
    const row = await updateSchema(client, name, { name: newName, owner, comment, properties }, stamp);
    if (!row) throw missing('Schema', formatSchemaName(name));
    const before = { schema: name.schema };
    const parent = { schemaId: row.id, catalogId: null };
    if (isRenamed) await followNewName(services, client, { ...parent, before, nowMs: stamp.atMs });
    return row;
  });
  const row = await work.catch((error) => {
    const wanted = formatSchemaName({ ...name, schema: newName ?? name.schema });
    throw sqlState(error) === uniqueViolation ? taken('Schema', wanted) : error;
  });
  if (isRenamed) await finishMoves(services);
  return row;
}
