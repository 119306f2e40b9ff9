import type { Querier } from '../db/connect.ts';
import type { Stamp, TextMap } from './rows.ts';

export interface CatalogRow {
  readonly id: string;
  readonly name: string;
  readonly comment: string | null;
  readonly properties: TextMap;
  readonly options: TextMap;
  readonly storageRoot: string | null;
  readonly isolationMode: string;
  readonly owner: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
}

const columns = `id, name, comment, properties, options, storage_root as "storageRoot", isolation_mode as "isolationMode",
  owner, created_at_ms as "createdAtMs", created_by as "createdBy", updated_at_ms as "updatedAtMs",
  updated_by as "updatedBy"`;

/** Null when the name is taken. */
export async function insertCatalog(
  db: Querier,
  row: Pick<CatalogRow, 'id' | 'name' | 'comment' | 'properties' | 'options' | 'storageRoot'>,
  stamp: Stamp,
): Promise<CatalogRow | null> {
  const rows = await db.query<CatalogRow>({
    name: 'insert-catalog',
    text: `
      insert into catalogs
        (id, name, comment, properties, options, storage_root, isolation_mode, owner,
         created_at_ms, created_by, updated_at_ms, updated_by)
      values ($1, $2, $3, $4, $5, $6, 'OPEN', $7, $8, $7, $8, $7)
      on conflict (name) do nothing
      returning ${columns}`,
    values: [
      row.id,
      row.name,
      row.comment,
      row.properties,
      row.options,
      row.storageRoot,
      stamp.by,
      stamp.atMs,
    ],
  });
  return rows[0] ?? null;
}

export async function findCatalog(db: Querier, name: string): Promise<CatalogRow | null> {
  const rows = await db.query<CatalogRow>({
    name: 'find-catalog',
    text: `select ${columns} from catalogs where name = $1`,
    values: [name],
  });
  return rows[0] ?? null;
}

export async function lockCatalog(db: Querier, name: string): Promise<CatalogRow | null> {
  const rows = await db.query<CatalogRow>({
    name: 'lock-catalog',
    text: `select ${columns} from catalogs where name = $1 for update`,
    values: [name],
  });
  return rows[0] ?? null;
}

export async function listCatalogs(
  db: Querier,
  page: { after: string; limit: number },
): Promise<CatalogRow[]> {
  return db.query<CatalogRow>({
    name: 'list-catalogs',
    text: `select ${columns} from catalogs where name > $1 order by name limit $2`,
    values: [page.after, page.limit],
  });
}

export interface CatalogChanges {
  readonly name: string | null;
  readonly owner: string | null;
  readonly comment: string | null;
  readonly properties: TextMap | null;
  readonly options: TextMap | null;
}

/** A null change leaves the field as it is. */
export async function updateCatalog(
  db: Querier,
  name: string,
  changes: CatalogChanges,
  stamp: Stamp,
): Promise<CatalogRow | null> {
  const rows = await db.query<CatalogRow>({
    name: 'update-catalog',
    text: `
      update catalogs
      set name = coalesce($2, name), owner = coalesce($3, owner), comment = coalesce($4, comment),
        properties = coalesce($5, properties), options = coalesce($6, options), updated_at_ms = $7, updated_by = $8
      where name = $1
      returning ${columns}`,
    values: [
      ...[name, changes.name, changes.owner, changes.comment, changes.properties, changes.options],
      ...[stamp.atMs, stamp.by],
    ],
  });
  return rows[0] ?? null;
}

export async function deleteCatalog(db: Querier, id: string): Promise<void> {
  await db.query({ name: 'delete-catalog', text: 'delete from catalogs where id = $1', values: [id] });
}
