import crypto from 'node:crypto';
import type { Services } from '../services.ts';
import { type CatalogRow, insertCatalog } from './catalog-store.ts';
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
  { db }: Pick<Services, 'db'>,
  request: NewCatalog,
  stamp: Stamp,
): Promise<CatalogRow> {
  const name = foldName(request.name);
  return db.transaction(async (client) => {
    const row = {
      id: crypto.randomUUID(),
      name,
      comment: request.comment ?? null,
      properties: request.properties ?? {},
      options: request.options ?? {},
      storageRoot: request.storage_root ?? null,
    };
    const catalog = await insertCatalog(client, row, stamp);
    if (!catalog) throw taken('Catalog', name);
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
