/** Tables that were dropped and may come back: whole rows of `tables`, as they were. */
import type { Querier } from '../db/connect.ts';
import type { TableName } from './names.ts';
import type { Stamp } from './rows.ts';
import type { TableRow } from './table-store.ts';

export type DeletedTable = Pick<TableRow, 'tableType' | 'storageLocation'>;

/** Which tables go: one by name, or all of a schema. */
export type Dropped = { readonly name: TableName } | { readonly schemaId: string };

/** Each by the index of names. */
const conditions = {
  table: `t.schema_id = (
    select s.id from schemas s join catalogs c on c.id = s.catalog_id where c.name = $4 and s.name = $5) and t.name = $6`,
  schema: 't.schema_id = $4',
} as const;

/** Views are remembered by whoever wrote them; of the others all that is known is kept, unless `isKept` is false. */
export async function dropTables(
  db: Querier,
  dropped: Dropped,
  { isKept, stamp }: { isKept: boolean; stamp: Stamp },
): Promise<DeletedTable[]> {
  const kind = 'name' in dropped ? 'table' : 'schema';
  const wanted =
    'name' in dropped ? [dropped.name.catalog, dropped.name.schema, dropped.name.table] : [dropped.schemaId];
  return db.query<DeletedTable>({
    name: `drop-tables-by-${kind}`,
    text: `
      with gone as (
        delete from tables t
        where ${conditions[kind]}
        returning t
      ), kept as (
        insert into dropped_tables
          (id, schema_id, catalog, schema, name, table_type, storage_location, document, dropped_at_ms, dropped_by)
        select (t).id, s.id, c.name, s.name, (t).name, (t).table_type, (t).storage_location, to_jsonb(t), $1, $2
        from gone
        join schemas s on s.id = (t).schema_id
        join catalogs c on c.id = s.catalog_id
        where $3 and (t).table_type <> 'VIEW'
      )
      select (t).table_type as "tableType", (t).storage_location as "storageLocation" from gone`,
    values: [stamp.atMs, stamp.by, isKept, ...wanted],
  });
}

export interface DroppedRow {
  readonly id: string;
  readonly catalog: string;
  readonly schema: string;
  readonly name: string;
  readonly tableType: TableRow['tableType'];
  readonly storageLocation: string | null;
  readonly droppedAtMs: number;
  readonly droppedBy: string;
  /** Of the schema that it was in, if that is still there. */
  readonly schemaId: string | null;
}

/** A schema that was renamed is the same schema; one that was made anew under its name takes over what it held. */
const columns = `d.id, coalesce(c.name, d.catalog) as catalog, coalesce(s.name, d.schema) as schema, d.name,
  d.table_type as "tableType", d.storage_location as "storageLocation", d.dropped_at_ms as "droppedAtMs",
  d.dropped_by as "droppedBy", s.id as "schemaId"`;
const joined = `dropped_tables d
  left join schemas s on s.id = d.schema_id
  left join catalogs c on c.id = s.catalog_id`;

/** The last that had this name, or the one with this id; locked. */
export async function lockDropped(
  db: Querier,
  wanted: { name: TableName } | { id: string },
  afterMs: number,
): Promise<DroppedRow | null> {
  const { name, id } = { name: null, id: null, ...wanted };
  const rows = await db.query<DroppedRow>({
    name: 'lock-dropped-table',
    text: `
      select ${columns} from ${joined}
      where d.dropped_at_ms > $5 and (
        d.id = $4 or (coalesce(c.name, d.catalog) = $1 and coalesce(s.name, d.schema) = $2 and d.name = $3))
      order by d.dropped_at_ms desc
      limit 1
      for update of d`,
    values: [name?.catalog ?? null, name?.schema ?? null, name?.table ?? null, id, afterMs],
  });
  return rows[0] ?? null;
}

/** False when the name is taken. The row moves back whole, with what later versions gave it. */
export async function restoreTable(
  db: Querier,
  { id, schemaId, name }: { id: string; schemaId: string; name: string },
  stamp: Stamp,
): Promise<boolean> {
  const rows = await db.query({
    name: 'restore-dropped-table',
    text: `
      insert into tables
      select r.* from dropped_tables d
      cross join lateral jsonb_populate_record(null::tables, d.document || jsonb_build_object(
        'schema_id', $2::uuid, 'storage_location', d.storage_location, 'name', $3::text, 'updated_at_ms', $4::bigint, 'updated_by', $5::text)) r
      where d.id = $1
      on conflict (schema_id, name) do nothing
      returning id`,
    values: [id, schemaId, name, stamp.atMs, stamp.by],
  });
  return rows.length > 0;
}

export async function deleteDropped(db: Querier, id: string): Promise<void> {
  await db.query({
    name: 'delete-dropped-table',
    text: 'delete from dropped_tables where id = $1',
    values: [id],
  });
}

/** The newest first. */
export async function listDropped(
  db: Querier,
  { catalog, schema }: { catalog: string | null; schema: string | null },
  page: { afterMs: number; before: { droppedAtMs: number; id: string } | null; limit: number },
): Promise<DroppedRow[]> {
  return db.query<DroppedRow>({
    name: 'list-dropped-tables',
    text: `
      select ${columns} from ${joined}
      where d.dropped_at_ms > $3
        and ($1::text is null or coalesce(c.name, d.catalog) = $1)
        and ($2::text is null or coalesce(s.name, d.schema) = $2)
        and ($4::bigint is null or (d.dropped_at_ms, d.id) < ($4, $5::uuid))
      order by d.dropped_at_ms desc, d.id desc
      limit $6`,
    values: [
      ...[catalog, schema, page.afterMs, page.before?.droppedAtMs ?? null, page.before?.id ?? null],
      page.limit,
    ],
  });
}

/** Those whose time is over: they are forgotten for good. */
export async function forgetDropped(
  db: Querier,
  { untilMs, limit }: { untilMs: number; limit: number },
): Promise<DeletedTable[]> {
  return db.query<DeletedTable>({
    name: 'forget-dropped-tables',
    text: `
      delete from dropped_tables
      where id in (
        select id from dropped_tables
        where dropped_at_ms <= $1
        order by dropped_at_ms
        limit $2
        for update skip locked
      )
      returning table_type as "tableType", storage_location as "storageLocation"`,
    values: [untilMs, limit],
  });
}
