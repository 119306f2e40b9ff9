import crypto from 'node:crypto';
import type { Services } from '../services.ts';
import { type CatalogRow, insertCatalog } from './catalog-store.ts';
import { placeManagedRoot, refuseOverlap } from './managed-root.ts';
import { foldName } from './names.ts';
import { taken } from './problems.ts';
import type { Stamp, TextMap } from './rows.ts';
import { insertSchema } from './schema-store.ts';

export interface NewCatalog {
  readonly name: string;
  readonly comment?: string | undefined;
  readonly properties?: TextMap | undefined;
  readonly options?: TextMap | undefined;
  readonly storage_root?: string | undefined;
}

/** Every catalog begins with a schema `default`. */
export async function createCatalog(
  services: Pick<Services, 'db' | 'blobs' | 'config'>,
  request: NewCatalog,
  stamp: Stamp,
): Promise<CatalogRow> {
  const name = foldName(request.name);
  const storageRoot = await placeManagedRoot(services, request.storage_root);
  return services.db.transaction(async (client) => {
    const row = {
      id: crypto.randomUUID(),
      name,
      comment: request.comment ?? null,
      properties: request.properties ?? {},
      options: request.options ?? {},
      storageRoot,
    };
    const catalog = await insertCatalog(client, row, stamp);
    if (!catalog) throw taken('Catalog', name);
    if (storageRoot !== null) {
      await refuseOverlap(services, client, { root: storageRoot, id: row.id, catalogId: null });
    }
    await insertSchema(
      client,
      {
        id: crypto.randomUUID(),
        catalogId: catalog.id,
        name: 'default',
        comment: null,
        properties: {},
        storageRoot: null,
      },
      stamp,
    );
    return catalog;
  });
}
