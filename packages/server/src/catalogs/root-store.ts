/** Which locations there are, and which of them overlap. */
import type { Querier } from '../db/connect.ts';

/** Any number that no other advisory lock of this database has. */
const rootsLock = 7_042;

/** Held until the transaction ends: locations are given one at a time. */
export async function lockRoots(db: Querier): Promise<void> {
  await db.query({
    name: 'lock-managed-roots',
    text: 'select pg_advisory_xact_lock($1)',
    values: [rootsLock],
  });
}

export interface Place {
  readonly root: string;
  /** Of the row whose root it is. */
  readonly id: string;
  /** Of a schema: its own catalog's location may be around it. */
  readonly catalogId: string | null;
}

export interface Overlap {
  readonly kind: 'catalog' | 'schema' | 'volume' | 'table';
  readonly name: string;
  readonly location: string;
}

const roots = `
  select 'catalog' as kind, c.id, c.name, c.storage_root as location
  from catalogs c
  where c.storage_root is not null
  union all
  select 'schema', s.id, c.name || '.' || s.name, s.storage_root
  from schemas s
  join catalogs c on c.id = s.catalog_id
  where s.storage_root is not null`;

const overlaps = `(p.location = $1 or starts_with(p.location, rtrim($1, '/') || '/') or starts_with($1, rtrim(p.location, '/') || '/'))`;

/** Anything of the catalog's that lies at the place, in it or around it. Rare, so it may look at every table. */
export async function findOverlap(
  db: Querier,
  { root, id, catalogId }: Place,
  { dbfs }: { dbfs: string },
): Promise<Overlap | null> {
  const rows = await db.query<Overlap>({
    name: 'find-overlap-of-managed-root',
    text: `
      select p.kind, p.name, p.location
      from (
        ${roots}
        union all
        select 'volume', v.id, c.name || '.' || s.name || '.' || v.name, v.external_location
        from volumes v
        join schemas s on s.id = v.schema_id
        join catalogs c on c.id = s.catalog_id
        where v.external_location is not null and not v.has_own_folder
        union all
        select 'table', t.id, c.name || '.' || s.name || '.' || t.name,
          case when starts_with(t.storage_location, 'dbfs:/') then $4 || substr(t.storage_location, 6)
            else regexp_replace(t.storage_location, '^file:(//(?=/))?', '') end
        from tables t
        join schemas s on s.id = t.schema_id
        join catalogs c on c.id = s.catalog_id
        where t.storage_location is not null and t.table_type <> 'MANAGED'
      ) p
      where p.id <> $2::uuid and ${overlaps}
        and not (p.id is not distinct from $3::uuid and starts_with($1, p.location || '/'))
      limit 1`,
    values: [root, id, catalogId, dbfs],
  });
  return rows[0] ?? null;
}

/** The location of a catalog or schema that a folder overlaps. */
export async function findRootAround(db: Querier, folder: string): Promise<Overlap | null> {
  const rows = await db.query<Overlap>({
    name: 'find-managed-root-around',
    text: `select p.kind, p.name, p.location from (${roots}) p where ${overlaps} limit 1`,
    values: [folder],
  });
  return rows[0] ?? null;
}
