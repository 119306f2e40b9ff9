/** The store's tables, out of one snapshot and into an empty schema. The embedded PostgreSQL carries no pg_dump. */
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip, gunzipSync } from 'node:zlib';
import type pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { type Manifest, tablesFolder } from './manifest.ts';

type Tables = Pick<Manifest, 'schema' | 'tables' | 'sequences'>;

/** Fast rather than small: rows of JSON shrink to a sixth even so. */
const gzipLevel = 2;
const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Everything is read by one transaction, whose snapshot is taken with its first statement. */
export async function dumpTables(client: pg.Client, folder: string): Promise<Tables> {
  fs.mkdirSync(path.join(folder, tablesFolder), { mode: 0o700 });
  await client.query('begin isolation level repeatable read read only');
  const schema = await readSchemaNumber(client);
  const tables: Tables['tables'] = [];
  for (const { name, columns } of await listTables(client)) {
    const file = path.join(folder, tablesFolder, `${name}.gz`);
    const copy = client.query(copyTo(`copy ${quote(name)} (${columns.map(quote).join(', ')}) to stdout`));
    await pipeline(copy, createGzip({ level: gzipLevel }), fs.createWriteStream(file, { mode: 0o600 }));
    tables.push({ name, columns, rows: copy.rowCount });
  }
  // Sequences are of no snapshot: read last, they are never behind the rows.
  const sequences = await readSequences(client);
  await client.query('commit');
  return { schema, tables, sequences };
}

/** Into tables that the migrations have just made; all or nothing. */
export async function loadTables(client: pg.Client, folder: string, dump: Tables): Promise<void> {
  await client.query('begin');
  await client.query(`truncate ${dump.tables.map(({ name }) => quote(name)).join(', ')} cascade`);
  for (const { name, columns, rows } of dump.tables) {
    const copy = client.query(copyFrom(`copy ${quote(name)} (${columns.map(quote).join(', ')}) from stdin`));
    const file = path.join(folder, tablesFolder, `${name}.gz`);
    await pipeline(fs.createReadStream(file), createGunzip(), copy);
    if (copy.rowCount !== rows) throw new Error(`${file} holds ${copy.rowCount} rows of ${rows}`);
  }
  for (const { name, last_value, is_called } of dump.sequences)
    await client.query('select setval($1::regclass, $2::bigint, $3)', [quote(name), last_value, is_called]);
  await client.query('commit');
  await client.query('analyze');
}

/** A column of a table that was dumped, for texts without special characters; none where there is no such table. */
export function readDumpedColumn(
  folder: string,
  tables: Tables['tables'],
  { table: name, column }: { readonly table: string; readonly column: string },
): string[] {
  const at = tables.find((table) => table.name === name)?.columns.indexOf(column) ?? -1;
  if (at < 0) return [];
  const text = gunzipSync(fs.readFileSync(path.join(folder, tablesFolder, `${name}.gz`))).toString();
  const rows = text.split('\n').filter((line) => line !== '');
  return rows.map((row) => row.split('\t')[at] ?? '');
}

async function readSchemaNumber(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ latest: number }>(
    'select max(number)::integer as latest from schema_migrations',
  );
  return rows[0]?.latest ?? 0;
}

interface TableShape {
  readonly name: string;
  readonly columns: string[];
}

async function listTables(client: pg.Client): Promise<TableShape[]> {
  const { rows } = await client.query<TableShape & { refers_to: string[] }>(`
    select c.relname as name,
      array(
        select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        order by a.attnum
      ) as columns,
      array(
        select f.relname::text from pg_constraint k join pg_class f on f.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid
      ) as refers_to
    from pg_class c
    where c.relkind = 'r'
      and c.relnamespace = current_schema()::regnamespace
      and c.relname <> 'schema_migrations'
    order by c.relname`);
  const ordered: TableShape[] = [];
  const isPlaced = (name: string) => ordered.some((table) => table.name === name);
  while (ordered.length < rows.length) {
    const next = rows.find(({ name, refers_to }) => !isPlaced(name) && refers_to.every(isPlaced));
    if (!next) throw new Error('tables refer to each other in a circle');
    ordered.push({ name: next.name, columns: next.columns });
  }
  return ordered;
}

async function readSequences(client: pg.Client): Promise<Tables['sequences']> {
  const { rows } = await client.query<{ name: string }>(`
    select relname as name from pg_class
    where relkind = 'S' and relnamespace = current_schema()::regnamespace
    order by relname`);
  const sequences: Tables['sequences'] = [];
  for (const { name } of rows) {
    const read = await client.query<{ last_value: string; is_called: boolean }>(
      `select last_value::text, is_called from ${quote(name)}`,
    );
    for (const row of read.rows) sequences.push({ name, ...row });
  }
  return sequences;
}
