/** What a schema holds, by SQL; and whether the catalog says the same of it as Delta's logs do. */
import { isDeepStrictEqual } from 'node:util';
import type { Client } from '@headrace/api';
import { readLoggedTable } from './delta-log.ts';
import type { Warehouse } from './warehouse.ts';

export const catalog = 'main';

/** Equal texts are equal contents: schemas, their tables and views, columns and rows. Reading fails on what is half. */
export async function takePicture(warehouse: Warehouse, schema: string): Promise<string> {
  const schemas = await warehouse.ask(`show schemas in ${catalog} like '${schema}*'`);
  const found: Record<string, unknown> = {};
  for (const [name] of schemas.rows) {
    found[String(name)] = {};
    const tables = await warehouse.ask(`show tables in ${catalog}.${name}`);
    for (const [, table] of tables.rows) {
      const { columns, rows } = await warehouse.ask(`select * from ${catalog}.${name}.${table}`);
      found[`${name}.${table}`] = { columns, rows: rows.map((row) => JSON.stringify(row)).sort() };
    }
  }
  return JSON.stringify(found).replaceAll(schema, 'S');
}

/** What the catalog says that its tables' logs do not. */
export async function findUntrue(client: Client, schema: string): Promise<string[]> {
  const { schemas = [] } = await client.schemasList({ catalog_name: catalog });
  const names = schemas.map(({ name }) => name).filter((name) => name.startsWith(schema));
  const lists = await Promise.all(
    names.map((schema_name) => client.tablesList({ catalog_name: catalog, schema_name })),
  );
  const listed = lists.flatMap(({ tables: some = [] }) => some);
  const tables = await Promise.all(listed.map(({ full_name }) => client.tablesGet({ full_name })));
  return tables.flatMap(({ full_name, data_source_format: format, storage_location: at, ...table }) => {
    if (format !== 'DELTA' || at === undefined) return [];
    const { fields, properties } = readLoggedTable(at.replace(/^file:/, ''));
    const kept = JSON.parse(String(table.headrace?.schema_json ?? '{"fields":[]}')) as { fields: unknown[] };
    const isTrue =
      isDeepStrictEqual(kept.fields, fields) &&
      (table.columns ?? []).length === fields.length &&
      Object.entries(properties).every(([key, value]) => table.properties?.[key] === value);
    return isTrue
      ? []
      : [`${full_name}: the catalog has ${JSON.stringify(kept.fields)}, its log ${JSON.stringify(fields)}`];
  });
}
