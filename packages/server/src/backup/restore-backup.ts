/** Puts a backup into an empty state folder. The folder gets its name last, so it is whole or not there. */
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { migrate } from '../db/migrate.ts';
import { StartError } from '../start-error.ts';
import { startEmbeddedPostgres } from '../store/embedded-postgres.ts';
import { layOut, writeStateSettings } from '../store/state-folder.ts';
import { isArchive, unpackArchive } from './archive.ts';
import { restoreKey } from './backup-secrets.ts';
import { copyFiles } from './copy-files.ts';
import { loadTables } from './dump-tables.ts';
import { filesFolder, Manifest, manifestName } from './manifest.ts';
import { connect } from './open-store.ts';

export interface RestoreOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly from: string;
}

export async function restoreBackup({ config, log, from }: RestoreOptions): Promise<Manifest> {
  const { stateDir } = config;
  refuseUsed(stateDir);
  const draft = `${stateDir}.restoring`;
  fs.rmSync(draft, { recursive: true, force: true });
  // As state-lock.ts makes it: PostgreSQL may run as another user, who must pass through.
  fs.mkdirSync(draft, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const unpacked = path.join(draft, 'unpacked');
  try {
    if (isArchive(from)) await unpackArchive(from, unpacked);
    const folder = isArchive(from) ? unpacked : from;
    const manifest = readManifest(folder, from);
    const state = layOut(draft);
    await copyFiles(path.join(folder, filesFolder), state.dataRoot, () => false);
    restoreKey(folder, config.secretsKeyFile ?? state.secretsKeyFile);
    if (manifest.worker_id !== null) await writeStateSettings(state, { worker_id: manifest.worker_id });
    await restoreTables(folder, manifest, { config, log, postgresFolder: state.postgresFolder });
    fs.rmSync(unpacked, { recursive: true, force: true });
    fs.rmSync(stateDir, { recursive: true, force: true }); // Empty, as was seen above.
    fs.renameSync(draft, stateDir);
    return manifest;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

function refuseUsed(stateDir: string): void {
  if (!fs.existsSync(stateDir) || fs.readdirSync(stateDir).length === 0) return;
  throw new StartError(`${stateDir} is not empty: a backup is restored into a new or an empty folder`);
}

function readManifest(folder: string, from: string): Manifest {
  let text: string;
  try {
    text = fs.readFileSync(path.join(folder, manifestName), 'utf8');
  } catch (cause) {
    throw new StartError(`${from} is no backup, or one that was cut short: it has no ${manifestName}`, {
      cause,
    });
  }
  const parsed = Manifest.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new StartError(`${from} cannot be read by this Headrace: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}

async function restoreTables(
  folder: string,
  manifest: Manifest,
  { config, log, postgresFolder }: { config: Config; log: Logger; postgresFolder: string },
): Promise<void> {
  const postgres =
    config.databaseUrl === null ? await startEmbeddedPostgres({ folder: postgresFolder, log }) : null;
  try {
    const connection = postgres?.connection ?? { connectionString: config.databaseUrl ?? '' };
    await makeTables(connection, manifest);
    const client = await connect(connection);
    try {
      await loadTables(client, folder, manifest);
      const newRoot = path.join(
        fs.realpathSync(path.dirname(config.stateDir)),
        path.basename(config.stateDir),
        'data',
      );
      await moveLocations(client, manifest.data_root, newRoot);
      // They were of the server that was backed up and of its browsers.
      await client.query(`delete from tokens where kind in ('local', 'session')`);
      await client.query('delete from sign_in_links');
    } finally {
      await client.end();
    }
  } finally {
    await postgres?.stop();
  }
}

/** As they were when the backup was made; the next start brings them up to date. */
async function makeTables(connection: pg.PoolConfig, { schema }: Manifest): Promise<void> {
  const pool = new pg.Pool(connection);
  pool.on('error', () => {}); // The statement under way fails with it.
  try {
    if (await isInUse(pool)) {
      throw new StartError('the database is in use: a backup is restored into an empty one');
    }
    await migrate(pool, undefined, { until: schema });
  } finally {
    await pool.end();
  }
}

/** A server that started on it made its administrator first. Tables alone are what a restore left that failed. */
async function isInUse(pool: pg.Pool): Promise<boolean> {
  const tables = await pool.query(`select to_regclass('principals') is not null as found`);
  if (!tables.rows[0]?.found) return false;
  return (await pool.query('select 1 as one from principals limit 1')).rows.length > 0;
}

/** Managed tables know where they lie by their full path, with or without a scheme before it. */
async function moveLocations(client: pg.Client, oldRoot: string, newRoot: string): Promise<void> {
  if (oldRoot === newRoot) return;
  for (const [table, column] of [
    ['tables', 'storage_location'],
    ['dropped_tables', 'storage_location'],
    ['chosen_folders', 'folder'],
    ['schemas', 'storage_root'],
    ['catalogs', 'storage_root'],
  ]) {
    // The tables are those of the release that made the backup.
    const { rows } = await client.query('select to_regclass($1) is not null as found', [table]);
    if (!rows[0]?.found) continue;
    for (const scheme of ['', 'file:', 'file://']) {
      await client.query(
        `update ${table} set ${column} = $2 || substr(${column}, length($1) + 1) where starts_with(${column}, $1 || '/')`,
        [`${scheme}${oldRoot}`, `${scheme}${newRoot}`],
      );
    }
  }
}
