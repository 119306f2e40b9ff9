/** Reading and changing catalogs; making and dropping them have files of their own. */
import type { RequestOf, routes } from '@headrace/api';
import { type Querier, sqlState, uniqueViolation } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { followNewName } from '../volumes/change-volumes.ts';
import { finishMoves } from '../volumes/move-folders.ts';
import { type CatalogRow, findCatalog, listCatalogs, updateCatalog } from './catalog-store.ts';
import { type NamePage, readNamePage } from './name-pages.ts';
import { foldName } from './names.ts';
import { missing, taken } from './problems.ts';
import type { Stamp } from './rows.ts';

export async function getCatalog(db: Querier, name: string): Promise<CatalogRow> {
  const row = await findCatalog(db, foldName(name));
  if (!row) throw missing('Catalog', foldName(name));
  return row;
}

export function listCatalogPage(
  db: Querier,
  request: RequestOf<(typeof routes)['catalogsList']>,
): Promise<NamePage<CatalogRow>> {
  return readNamePage(request, (page) => listCatalogs(db, page));
}

export async function changeCatalog(
  services: Services,
  request: RequestOf<(typeof routes)['catalogsUpdate']>,
  stamp: Stamp,
): Promise<CatalogRow> {
  const name = foldName(request.name);
  const newName = request.new_name === undefined ? null : foldName(request.new_name);
  const { owner = null, comment = null, properties = null, options = null } = request;
  const changes = { name: newName, owner, comment, properties, options };
  const isRenamed = newName !== null && newName !== name;
  if (isRenamed) await finishMoves(services);
  const work = services.db.transaction(async (client) => {
    const row = await updateCatalog(client, name, changes, stamp);
    if (!row) throw missing('Catalog', name);
    const parent = { schemaId: null, catalogId: row.id };
    if (isRenamed)
      await followNewName(services, client, { ...parent, before: { catalog: name }, nowMs: stamp.atMs });
    return row;
  });
  const row = await work.catch((error) => {
    throw sqlState(error) === uniqueViolation ? taken('Catalog', newName ?? name) : error;
  });
  if (isRenamed) await finishMoves(services);
  return row;
}
