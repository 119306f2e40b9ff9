import type { ColumnInfo, TableInfo } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import type { SchemaName, TableName } from './names.ts';
import type { Stamp, TextMap } from './rows.ts';

export interface TableRow {
  readonly id: string;
  readonly catalog: string;
  readonly schema: string;
  readonly name: string;
  readonly tableType: TableInfo['table_type'];
  readonly dataSourceFormat: string | null;
  readonly columns: readonly ColumnInfo[];
  readonly storageLocation: string | null;
  readonly viewDefinition: string | null;
  readonly comment: string | null;
  readonly properties: TextMap;
  readonly headrace: NonNullable<TableInfo['headrace']>;
  readonly owner: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
  readonly updatedAtMs: number;
  readonly updatedBy: string;
}

const columns = `t.id, c.name as catalog, s.name as schema, t.name, t.table_type as "tableType",
  t.data_source_format as "dataSourceFormat", t.columns, t.storage_location as "storageLocation",
  t.view_definition as "viewDefinition", t.comment, t.properties, t.headrace, t.owner,
  t.created_at_ms as "createdAtMs", t.created_by as "createdBy", t.updated_at_ms as "updatedAtMs",
  t.updated_by as "updatedBy"`;

const joined = `tables t join schemas s on s.id = t.schema_id join catalogs c on c.id = s.catalog_id`;

export type NewTable = Pick<
  TableRow,
  | 'id'
  | 'name'
  | 'tableType'
  | 'dataSourceFormat'
  | 'columns'
  | 'storageLocation'
  | 'viewDefinition'
  | 'comment'
  | 'properties'
  | 'headrace'
>;

/** False when the name is taken. */
export async function insertTable(
  db: Querier,
  schemaId: string,
  row: NewTable,
  stamp: Stamp,
): Promise<boolean> {
  const rows = await db.query({
    name: 'insert-table',
    text: `
      insert into tables
        (id, schema_id, name, table_type, data_source_format, columns, storage_location, view_definition, comment,
         properties, headrace, owner, created_at_ms, created_by, updated_at_ms, updated_by)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $12, $13, $12)
      on conflict (schema_id, name) do nothing
      returning id`,
    values: [
      ...[row.id, schemaId, row.name, row.tableType, row.dataSourceFormat, JSON.stringify(row.columns)],
      ...[
        row.storageLocation,
        row.viewDefinition,
        row.comment,
        row.properties,
        row.headrace,
        stamp.by,
        stamp.atMs,
      ],
    ],
  });
  return rows.length > 0;
}

export async function findTable(
  db: Querier,
  { catalog, schema, table }: TableName,
): Promise<TableRow | null> {
  const rows = await db.query<TableRow>({
    name: 'find-table',
    text: `select ${columns} from ${joined} where c.name = $1 and s.name = $2 and t.name = $3`,
    values: [catalog, schema, table],
  });
  return rows[0] ?? null;
}

export interface TablePage {
  readonly after: string;
  readonly limit: number;
  readonly omitColumns: boolean;
  readonly omitProperties: boolean;
}

/**
 * Of one schema, found before: so a page takes its rows from the index, whatever the planner thinks of the size of schemas.
 * What is left out is not read: columns are most of the bytes.
 */
export async function listTables(
  db: Querier,
  schema: SchemaName & { readonly id: string },
  page: TablePage,
): Promise<TableRow[]> {
  const left = columns
    .replace('c.name as catalog, s.name as schema', '$2::text as catalog, $3::text as schema')
    .replace('t.columns', page.omitColumns ? "'[]'::jsonb as columns" : 't.columns')
    .replace('t.headrace', page.omitColumns ? "'{}'::jsonb as headrace" : 't.headrace')
    .replace('t.properties', page.omitProperties ? "'{}'::jsonb as properties" : 't.properties');
  const omitted = [page.omitColumns ? '-columns' : '', page.omitProperties ? '-properties' : ''].join('');
  return db.query<TableRow>({
    name: `list-tables${omitted}`,
    text: `
      select ${left}
      from tables t
      where t.schema_id = $1 and t.name > $4
      order by t.name
      limit $5`,
    values: [schema.id, schema.catalog, schema.schema, page.after, page.limit],
  });
}

/** Whether a table lives at one of these spellings of a location, or a dropped one that may come back. */
export async function isLocationTaken(db: Querier, spellings: readonly string[]): Promise<boolean> {
  const rows = await db.query({
    name: 'is-table-location-taken',
    text: `
      select 1 from tables where storage_location = any($1)
      union all
      select 1 from dropped_tables where storage_location = any($1)
      limit 1`,
    values: [spellings],
  });
  return rows.length > 0;
}

export interface TableChanges {
  readonly name: string | null;
  readonly schemaId: string | null;
  readonly owner: string | null;
  readonly comment: string | null;
  readonly columns: readonly ColumnInfo[] | null;
  readonly properties: TextMap | null;
  readonly viewDefinition: string | null;
  readonly headrace: TableRow['headrace'] | null;
}

/** A null change leaves the field as it is. Null when there is no such table. */
export async function updateTable(
  db: Querier,
  { catalog, schema, table }: TableName,
  changes: TableChanges,
  stamp: Stamp,
): Promise<string | null> {
  const rows = await db.query<{ id: string }>({
    name: 'update-table',
    text: `
      update tables t
      set name = coalesce($4, t.name), schema_id = coalesce($5, t.schema_id), owner = coalesce($6, t.owner),
        comment = coalesce($7, t.comment), columns = coalesce($8, t.columns), properties = coalesce($9, t.properties),
        view_definition = coalesce($10, t.view_definition), headrace = coalesce($11, t.headrace),
        updated_at_ms = $12, updated_by = $13
      from schemas s
      join catalogs c on c.id = s.catalog_id
      where s.id = t.schema_id and c.name = $1 and s.name = $2 and t.name = $3
      returning t.id`,
    values: [
      ...[catalog, schema, table, changes.name, changes.schemaId, changes.owner, changes.comment],
      ...[changes.columns && JSON.stringify(changes.columns), changes.properties, changes.viewDefinition],
      ...[changes.headrace, stamp.atMs, stamp.by],
    ],
  });
  return rows[0]?.id ?? null;
}

/** What the table's log says, where the catalog has not heard of it since the row was read. */
export async function followTable(
  db: Querier,
  row: Pick<TableRow, 'id' | 'headrace'>,
  facts: Pick<TableRow, 'columns' | 'properties' | 'comment' | 'headrace'>,
): Promise<void> {
  await db.query({
    name: 'follow-table',
    text: `
      update tables
      set columns = $3, properties = $4, comment = $5, headrace = $6
      where id = $1 and headrace ->> 'metadata_digest' is not distinct from $2`,
    values: [
      ...[row.id, row.headrace.metadata_digest ?? null, JSON.stringify(facts.columns), facts.properties],
      ...[facts.comment, facts.headrace],
    ],
  });
}

export async function findTableById(db: Querier, id: string): Promise<TableRow | null> {
  const rows = await db.query<TableRow>({
    name: 'find-table-by-id',
    text: `select ${columns} from ${joined} where t.id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

export async function countTables(db: Querier, schemaId: string): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'count-tables-of-schema',
    text: 'select count(*) as count from tables where schema_id = $1',
    values: [schemaId],
  });
  return rows[0]?.count ?? 0;
}
