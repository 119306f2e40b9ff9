/**
 * Brings the schema up to date, forward only. Each migration records its number first, in its own transaction: a
 * second starter waits on that row and then finds the work done. A store that is newer than this program is refused.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { StartError } from '../start-error.ts';
import { sqlState, uniqueViolation } from './connect.ts';

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

/** It may rewrite large tables. */
const migrationTimeoutMs = 24 * 3_600_000;
const builtInFolder = fileURLToPath(new URL('./migrations/', import.meta.url));

export interface MigrateOptions {
  /** No further than this number: a backup is restored into the tables that it was made of. */
  readonly until?: number;
}

export async function migrate(
  pool: pg.Pool,
  folder = builtInFolder,
  { until = Number.POSITIVE_INFINITY }: MigrateOptions = {},
): Promise<{ applied: readonly string[] }> {
  const migrations = await readMigrations(folder);
  await ensureMigrationsTable(pool);
  const latest = await readLatestNumber(pool);
  const known = migrations.at(-1)?.number ?? 0;
  if (Number.isFinite(until) && until > known) {
    throw new StartError(
      `the backup has schema ${until}, this Headrace knows ${known}: restore it with the newer version that made it`,
    );
  }
  if (latest > known) {
    throw new StartError(
      `the store has schema ${latest}, this Headrace knows ${known}: start the newer version that wrote it`,
    );
  }
  const applied: string[] = [];
  for (const migration of migrations.filter(({ number }) => number > latest && number <= until)) {
    if (await applyMigration(pool, migration)) applied.push(migration.name);
  }
  return { applied };
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await fs.readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  const migrations = await Promise.all(
    names.map(async (name) => ({
      number: Number(name.slice(0, 4)),
      name: name.slice(0, -'.sql'.length),
      sql: await fs.readFile(path.join(folder, name), 'utf8'),
    })),
  );
  migrations.forEach((migration, index) => {
    if (migration.number !== index + 1)
      throw new Error(`${migration.name}: migration ${index + 1} is missing or doubled`);
  });
  return migrations;
}

/**
 * Two first starters may both try to create the table; what the loser sees depends on how far the other was: a unique
 * violation in the system catalog, or the type or the table itself.
 */
const existsAlready: readonly (string | null)[] = [uniqueViolation, '42710', '42P07'];

async function ensureMigrationsTable(pool: pg.Pool): Promise<void> {
  try {
    await pool.query(`
      create table if not exists schema_migrations (
        number integer primary key,
        name text not null,
        applied_at timestamptz not null default now()
      )`);
  } catch (error) {
    if (!existsAlready.includes(sqlState(error))) throw error;
  }
}

async function readLatestNumber(pool: pg.Pool): Promise<number> {
  const result = await pool.query<{ latest: number }>(
    'select coalesce(max(number), 0)::integer as latest from schema_migrations',
  );
  return result.rows[0]?.latest ?? 0;
}

/** False when another starter was first. */
async function applyMigration(pool: pg.Pool, migration: Migration): Promise<boolean> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('insert into schema_migrations (number, name) values ($1, $2)', [
      migration.number,
      migration.name,
    ]);
    // The driver takes the limit with the statement, though its types do not tell.
    await client.query({ text: migration.sql, query_timeout: migrationTimeoutMs } as pg.QueryConfig);
    await client.query('commit');
    return true;
  } catch (error) {
    await client.query('rollback');
    if (sqlState(error) === uniqueViolation && (await readLatestNumber(pool)) >= migration.number)
      return false;
    throw new Error(`migration ${migration.name} failed`, { cause: error });
  } finally {
    client.release();
  }
}
