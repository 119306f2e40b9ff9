import type { ColumnInfo } from '@headrace/api';
import type { Querier } from '../db/connect.ts';

export interface FoundSchema {
  readonly catalog: string;
  readonly schema: string;
}

export interface FoundTable extends FoundSchema {
  readonly name: string;
  readonly tableType: string;
  readonly comment: string | null;
}

export interface FoundColumn extends FoundSchema {
  readonly table: string;
  readonly column: ColumnInfo;
  /** From 0 on. */
  readonly position: number;
}

interface TablePattern {
  readonly catalog: string | null;
  readonly schema: string | null;
  readonly table: string | null;
}

const joined = `tables t join schemas s on s.id = t.schema_id join catalogs c on c.id = s.catalog_id`;
const matches = `($1::text is null or c.name like $1) and ($2::text is null or s.name like $2)
        and ($3::text is null or t.name like $3)`;

export async function searchCatalogNames(db: Querier, limit: number): Promise<string[]> {
  const rows = await db.query<{ name: string }>({
    name: 'search-catalog-names',
    text: 'select name from catalogs order by name limit $1',
    values: [limit],
  });
  return rows.map(({ name }) => name);
}

export function searchSchemaNames(
  db: Querier,
  pattern: { catalog: string | null; schema: string | null },
  limit: number,
): Promise<FoundSchema[]> {
  return db.query<FoundSchema>({
    name: 'search-schema-names',
    text: `
      select c.name as catalog, s.name as schema
      from schemas s
      join catalogs c on c.id = s.catalog_id
      where ($1::text is null or c.name like $1) and ($2::text is null or s.name like $2)
      order by c.name, s.name
      limit $3`,
    values: [pattern.catalog, pattern.schema, limit],
  });
}

export function searchTableNames(
  db: Querier,
  { catalog, schema, table }: TablePattern,
  limit: number,
): Promise<FoundTable[]> {
  return db.query<FoundTable>({
    name: 'search-table-names',
    text: `
      select c.name as catalog, s.name as schema, t.name, t.table_type as "tableType", t.comment
      from ${joined}
      where ${matches}
      order by c.name, s.name, t.name
      limit $4`,
    values: [catalog, schema, table, limit],
  });
}

/** Columns keep their spelling, and are found by any. */
export function searchColumnNames(
  db: Querier,
  { catalog, schema, table, column }: TablePattern & { readonly column: string | null },
  limit: number,
): Promise<FoundColumn[]> {
  return db.query<FoundColumn>({
    name: 'search-column-names',
    text: `
      select c.name as catalog, s.name as schema, t.name as table, f.value as column, (f.place - 1)::int as position
      from ${joined}
      cross join lateral jsonb_array_elements(t.columns) with ordinality as f (value, place)
      where ${matches} and ($4::text is null or f.value ->> 'name' ilike $4)
      order by c.name, s.name, t.name, f.place
      limit $5`,
    values: [catalog, schema, table, column, limit],
  });
}
