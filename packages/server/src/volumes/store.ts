import type { SchemaName } from '../catalogs/names.ts';
import type { Stamp } from '../catalogs/rows.ts';
import type { Querier } from '../db/connect.ts';
import type { VolumeName } from './volume-names.ts';

export interface VolumeRow {
  readonly id: string;
  readonly catalog: string;
  readonly schema: string;
  readonly name: string;
  /** The folder of an external volume; null for a managed one, which lies where its name says. */
  readonly externalLocation: string | null;
  /** A managed one in the location of its schema: `externalLocation` is its folder there, which goes with it. */
  readonly hasOwnFolder: boolean;
  readonly comment: string | null;
  readonly owner: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
}

const columns = `v.id, c.name as catalog, s.name as schema, v.name, v.external_location as "externalLocation",
  v.has_own_folder as "hasOwnFolder", v.comment,
  v.owner, v.created_at_ms as "createdAtMs", v.created_by as "createdBy", v.updated_at_ms as "updatedAtMs",
  v.updated_by as "updatedBy"`;
const joined = 'volumes v join schemas s on s.id = v.schema_id join catalogs c on c.id = s.catalog_id';

/** False when the name is taken. */
export async function insertVolume(
  db: Querier,
  schemaId: string,
  row: Pick<VolumeRow, 'id' | 'name' | 'externalLocation' | 'hasOwnFolder' | 'comment'>,
  stamp: Stamp,
): Promise<boolean> {
  const rows = await db.query({
    name: 'insert-volume',
    text: `
      insert into volumes
        (id, schema_id, name, external_location, comment, owner, created_at_ms, created_by, updated_at_ms, updated_by,
         has_own_folder)
      values ($1, $2, $3, $4, $5, $6, $7, $6, $7, $6, $8)
      on conflict (schema_id, name) do nothing
      returning id`,
    values: [
      ...[row.id, schemaId, row.name, row.externalLocation, row.comment, stamp.by, stamp.atMs],
      row.hasOwnFolder,
    ],
  });
  return rows.length > 0;
}

export async function findVolume(
  db: Querier,
  { catalog, schema, volume }: VolumeName,
): Promise<VolumeRow | null> {
  const rows = await db.query<VolumeRow>({
    name: 'find-volume',
    text: `select ${columns} from ${joined} where c.name = $1 and s.name = $2 and v.name = $3`,
    values: [catalog, schema, volume],
  });
  return rows[0] ?? null;
}

/** With its schema and catalog, whose names are its place: a rename of any of them waits, or is seen. */
export async function lockVolume(
  db: Querier,
  { catalog, schema, volume }: VolumeName,
): Promise<VolumeRow | null> {
  const rows = await db.query<VolumeRow>({
    name: 'lock-volume',
    text: `
      select ${columns} from ${joined}
      where c.name = $1 and s.name = $2 and v.name = $3
      for update of v
      for share of s, c`,
    values: [catalog, schema, volume],
  });
  return rows[0] ?? null;
}

export async function findVolumeById(db: Querier, id: string): Promise<VolumeRow | null> {
  const rows = await db.query<VolumeRow>({
    name: 'find-volume-by-id',
    text: `select ${columns} from ${joined} where v.id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

export async function listVolumes(
  db: Querier,
  { catalog, schema }: SchemaName,
  page: { after: string; limit: number },
): Promise<VolumeRow[]> {
  return db.query<VolumeRow>({
    name: 'list-volumes',
    text: `
      select ${columns} from ${joined}
      where c.name = $1 and s.name = $2 and v.name > $3
      order by v.name
      limit $4`,
    values: [catalog, schema, page.after, page.limit],
  });
}

/** By id, those after `after`; null: from the first on. */
export async function listExternal(
  db: Querier,
  { after, limit }: { after: string | null; limit: number },
): Promise<VolumeRow[]> {
  return db.query<VolumeRow>({
    name: 'list-external-volumes',
    text: `
      select ${columns} from ${joined}
      where v.external_location is not null and ($1::uuid is null or v.id > $1)
      order by v.id
      limit $2`,
    values: [after, limit],
  });
}

/** As `lockVolume`. */
export async function lockVolumeById(db: Querier, id: string): Promise<VolumeRow | null> {
  const rows = await db.query<VolumeRow>({
    name: 'lock-volume-by-id',
    text: `select ${columns} from ${joined} where v.id = $1 for update of v for share of s, c`,
    values: [id],
  });
  return rows[0] ?? null;
}

/** A volume whose folder is this one, lies in it or around it. */
export async function findVolumeAt(db: Querier, location: string): Promise<VolumeRow | null> {
  const rows = await db.query<VolumeRow>({
    name: 'find-volume-at',
    text: `
      select ${columns} from ${joined}
      where v.external_location = $1
        or starts_with(v.external_location, $1 || '/')
        or starts_with($1, v.external_location || '/')
      limit 1`,
    values: [location],
  });
  return rows[0] ?? null;
}

export interface VolumeChanges {
  readonly name: string | null;
  readonly owner: string | null;
  readonly comment: string | null;
}

/** A null change leaves the field as it is. */
export async function updateVolume(
  db: Querier,
  id: string,
  changes: VolumeChanges,
  stamp: Stamp,
): Promise<void> {
  await db.query({
    name: 'update-volume',
    text: `
      update volumes
      set name = coalesce($2, name), owner = coalesce($3, owner), comment = coalesce($4, comment),
        updated_at_ms = $5, updated_by = $6
      where id = $1`,
    values: [id, changes.name, changes.owner, changes.comment, stamp.atMs, stamp.by],
  });
}

export async function deleteVolume(db: Querier, id: string): Promise<void> {
  await db.query({ name: 'delete-volume', text: 'delete from volumes where id = $1', values: [id] });
}

/** Locked: to be moved or deleted with what they are in. */
export async function lockVolumesBelow(
  db: Querier,
  { catalogId, schemaId }: { catalogId: string | null; schemaId: string | null },
): Promise<VolumeRow[]> {
  return db.query<VolumeRow>({
    name: 'lock-volumes-below',
    text: `
      select ${columns} from ${joined}
      where s.id = $1 or c.id = $2
      order by v.id
      for update of v`,
    values: [schemaId, catalogId],
  });
}

export async function countVolumes(db: Querier, schemaId: string): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'count-volumes-of-schema',
    text: 'select count(*) as count from volumes where schema_id = $1',
    values: [schemaId],
  });
  return rows[0]?.count ?? 0;
}

export interface FolderMove {
  readonly id: number;
  readonly fromKey: string;
  readonly toKey: string;
}

export async function insertMove(db: Querier, move: Omit<FolderMove, 'id'>, nowMs: number): Promise<void> {
  await db.query({
    name: 'insert-folder-move',
    text: 'insert into folder_moves (from_key, to_key, requested_at_ms) values ($1, $2, $3)',
    values: [move.fromKey, move.toKey, nowMs],
  });
}

const moveColumns = 'id, from_key as "fromKey", to_key as "toKey"';

/** The oldest after `afterId`, kept from other servers until the transaction ends: moves happen in their order. */
export async function lockNextMove(db: Querier, afterId: number): Promise<FolderMove | null> {
  const rows = await db.query<FolderMove>({
    name: 'lock-next-folder-move',
    text: `select ${moveColumns} from folder_moves where id > $1 order by id limit 1 for update`,
    values: [afterId],
  });
  return rows[0] ?? null;
}

/** Those that take away what lies at the key. */
export async function lockMovesFrom(db: Querier, key: string): Promise<FolderMove[]> {
  return db.query<FolderMove>({
    name: 'lock-folder-moves-from',
    text: `select ${moveColumns} from folder_moves where from_key = $1 order by id for update`,
    values: [key],
  });
}

export async function hasMoveTo(db: Querier, key: string): Promise<boolean> {
  const rows = await db.query({
    name: 'has-folder-move-to',
    text: 'select 1 from folder_moves where to_key = $1 limit 1',
    values: [key],
  });
  return rows.length > 0;
}

export async function hasMoves(db: Querier): Promise<boolean> {
  const rows = await db.query({
    name: 'has-folder-moves',
    text: 'select 1 from folder_moves limit 1',
    values: [],
  });
  return rows.length > 0;
}

export async function deleteMove(db: Querier, id: number): Promise<void> {
  await db.query({
    name: 'delete-folder-move',
    text: 'delete from folder_moves where id = $1',
    values: [id],
  });
}
