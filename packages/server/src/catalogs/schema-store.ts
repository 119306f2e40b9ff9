import type { Querier } from '../db/connect.ts';
import type { SchemaName } from './names.ts';
import type { Stamp, TextMap } from './rows.ts';

export interface SchemaRow {
  readonly id: string;
  readonly catalog: string;
  readonly name: string;
  readonly comment: string | null;
  readonly properties: TextMap;
  readonly storageRoot: string | null;
  /** Where its managed tables and volumes live: its own location or its catalog's; null: below the data root. */
  readonly managedRoot: string | null;
  readonly owner: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
}

const columns = `s.id, c.name as catalog, s.name, s.comment, s.properties, s.storage_root as "storageRoot",
  coalesce(s.storage_root, c.storage_root) as "managedRoot", s.owner,
  s.created_at_ms as "createdAtMs", s.created_by as "createdBy", s.updated_at_ms as "updatedAtMs",
  s.updated_by as "updatedBy"`;

/** False when the name is taken. */
export async function insertSchema(
  db: Querier,
  row: {
    id: string;
    catalogId: string;
    name: string;
    comment: string | null;
    properties: TextMap;
    storageRoot: string | null;
  },
  stamp: Stamp,
): Promise<boolean> {
  const rows = await db.query({
    name: 'insert-schema',
    text: `
      insert into schemas
        (id, catalog_id, name, comment, properties, storage_root, owner, created_at_ms, created_by, updated_at_ms, updated_by)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $7, $8, $7)
      on conflict (catalog_id, name) do nothing
      returning id`,
    values: [
      row.id,
      row.catalogId,
      row.name,
      row.comment,
      row.properties,
      row.storageRoot,
      stamp.by,
      stamp.atMs,
    ],
  });
  return rows.length > 0;
}

export async function findSchema(db: Querier, { catalog, schema }: SchemaName): Promise<SchemaRow | null> {
  const rows = await db.query<SchemaRow>({
    name: 'find-schema',
    text: `
      select ${columns} from schemas s
      join catalogs c on c.id = s.catalog_id
      where c.name = $1 and s.name = $2`,
    values: [catalog, schema],
  });
  return rows[0] ?? null;
}

export async function lockSchema(db: Querier, { catalog, schema }: SchemaName): Promise<SchemaRow | null> {
  const rows = await db.query<SchemaRow>({
    name: 'lock-schema',
    text: `
      select ${columns} from schemas s
      join catalogs c on c.id = s.catalog_id
      where c.name = $1 and s.name = $2
      for update of s`,
    values: [catalog, schema],
  });
  return rows[0] ?? null;
}

export async function listSchemas(
  db: Querier,
  page: { catalog: string; after: string; limit: number },
): Promise<SchemaRow[]> {
  return db.query<SchemaRow>({
    name: 'list-schemas',
    text: `
      select ${columns} from schemas s
      join catalogs c on c.id = s.catalog_id
      where c.name = $1 and s.name > $2
      order by s.name
      limit $3`,
    values: [page.catalog, page.after, page.limit],
  });
}

export interface SchemaChanges {
  readonly name: string | null;
  readonly owner: string | null;
  readonly comment: string | null;
  readonly properties: TextMap | null;
}

/** A null change leaves the field as it is. */
export async function updateSchema(
  db: Querier,
  { catalog, schema }: SchemaName,
  changes: SchemaChanges,
  stamp: Stamp,
): Promise<SchemaRow | null> {
  const rows = await db.query<SchemaRow>({
    name: 'update-schema',
    text: `
      update schemas s
      set name = coalesce($3, s.name), owner = coalesce($4, s.owner), comment = coalesce($5, s.comment),
        properties = coalesce($6, s.properties), updated_at_ms = $7, updated_by = $8
      from catalogs c
      where c.id = s.catalog_id and c.name = $1 and s.name = $2
      returning ${columns}`,
    values: [
      ...[catalog, schema, changes.name, changes.owner, changes.comment, changes.properties],
      ...[stamp.atMs, stamp.by],
    ],
  });
  return rows[0] ?? null;
}

export async function deleteSchema(db: Querier, id: string): Promise<void> {
  await db.query({ name: 'delete-schema', text: 'delete from schemas where id = $1', values: [id] });
}

/** Locked, by name: to be deleted with their catalog. */
export async function lockSchemasOfCatalog(
  db: Querier,
  catalogId: string,
): Promise<{ id: string; name: string; objects: number }[]> {
  return db.query({
    name: 'lock-schemas-of-catalog',
    text: `
      select s.id, s.name, (select count(*) from tables t where t.schema_id = s.id)
        + (select count(*) from volumes v where v.schema_id = s.id) as objects
      from schemas s
      where s.catalog_id = $1
      order by s.name
      for update`,
    values: [catalogId],
  });
}
