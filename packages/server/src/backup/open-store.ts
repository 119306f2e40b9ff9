/** The database of a state folder, whether a server runs on it or not. */
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { startEmbeddedPostgres } from '../store/embedded-postgres.ts';
import { layOut } from '../store/state-folder.ts';
import { lockStateFolder, StateFolderInUseError } from '../store/state-lock.ts';

export interface OpenStore {
  readonly client: pg.Client;
  /** Nobody else uses the folder. */
  readonly isOurs: boolean;
  close(): Promise<void>;
}

export async function openStore(config: Config, log: Logger): Promise<OpenStore> {
  if (config.databaseUrl !== null) {
    const client = await connect({ connectionString: config.databaseUrl });
    return { client, isOurs: false, close: () => client.end() };
  }
  const { folder, postgresFolder } = layOut(config.stateDir);
  const lock = await lockStateFolder(folder).catch((error: unknown) => {
    if (error instanceof StateFolderInUseError) return null;
    throw error;
  });
  // The server that has the folder runs its PostgreSQL too.
  if (lock === null) {
    const client = await connect(readConnection(postgresFolder));
    return { client, isOurs: false, close: () => client.end() };
  }
  const postgres = await startEmbeddedPostgres({ folder: postgresFolder, log });
  const client = await connect(postgres.connection);
  return {
    client,
    isOurs: true,
    async close() {
      await client.end();
      await postgres.stop();
      await lock.release();
    },
  };
}

export async function connect(connection: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ ...connection, application_name: 'headrace backup', keepAlive: true });
  client.on('error', () => {}); // The statement under way fails with it.
  await client.connect();
  return client;
}

/** As embedded-postgres.ts keeps it. */
function readConnection(postgresFolder: string): pg.ClientConfig {
  const read = (name: string) => fs.readFileSync(path.join(postgresFolder, name), 'utf8').trim();
  return {
    host: '127.0.0.1',
    port: Number(read('port')),
    user: 'headrace',
    password: read('password'),
    database: 'postgres',
  };
}
