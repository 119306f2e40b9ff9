/**
 * PostgreSQL as a child of the server: made on first use, supervised while the server lives, adopted by the next
 * server when this one is killed. The caller holds the state folder's lock, so there is one owner at a time.
 *
 *   folder/data        the cluster           folder/password      of the one role, mode 0600
 *   folder/port        kept between starts   folder/postgres.log  and, when large, postgres.log.1
 */
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { StartError } from '../start-error.ts';
import { rotateLog } from './log-rotation.ts';
import { findFreePort, isPortFree } from './ports.ts';
import { findBinaries, type PostgresBinaries, postgresMajor } from './postgres-binaries.ts';
import { chooseIdentity, giveTo, type PostgresIdentity } from './postgres-identity.ts';
import { findPostmaster, type Postmaster, waitUntilReady } from './postmaster.ts';
import { stopPostmaster, waitForExit, watchExit } from './postmaster-process.ts';

export interface EmbeddedPostgres {
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
  };
  /** It ran already: a former server was killed and left it. */
  readonly adopted: boolean;
  /** Changes when PostgreSQL had to be started again; null while it is away. */
  pid(): number | null;
  /** Ends its connections and stops it in order. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  readonly folder: string;
  readonly log: Logger;
  /** Further settings, by name. */
  readonly settings?: Readonly<Record<string, string>>;
}

interface Cluster {
  readonly folder: string;
  readonly dataFolder: string;
  readonly identity: PostgresIdentity;
  readonly binaries: PostgresBinaries;
  readonly settings: Readonly<Record<string, string>>;
}

const role = 'headrace';
const logBytesMax = 10 * 1024 ** 2;
const launchAttemptsMax = 3;
const restartFirstMs = 100;
const restartMaxMs = 5_000;

/** Small on purpose: idle server and PostgreSQL together stay below 250 MB and 1 % CPU. */
const baseSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '48MB',
  dynamic_shared_memory_type: 'mmap',
  huge_pages: 'off',
  io_method: 'sync',
  jit: 'off',
  max_parallel_workers: '0',
  max_logical_replication_workers: '0',
  max_wal_senders: '0',
  wal_level: 'minimal',
  max_wal_size: '512MB',
  autovacuum_max_workers: '1',
  ssl: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const cluster = prepareCluster(options);
  const running = await findPostmaster(cluster.dataFolder);
  const first = running ?? (await launch(cluster, options.log));
  if (running)
    options.log.info(
      { postgres_pid: running.pid },
      'adopted the PostgreSQL that a former server left running',
    );
  const supervisor = supervise(cluster, first, options.log);
  return {
    connection: {
      host: '127.0.0.1',
      port: first.port,
      user: role,
      password: fs.readFileSync(path.join(options.folder, 'password'), 'utf8'),
      database: 'postgres',
    },
    adopted: running !== null,
    ...supervisor,
  };
}

function prepareCluster({ folder, settings = {}, log }: EmbeddedPostgresOptions): Cluster {
  // Others may pass through but not look: the user that PostgreSQL runs as must reach its own files below.
  fs.mkdirSync(folder, { recursive: true, mode: 0o711 });
  const dataFolder = path.join(folder, 'data');
  const ownerUid = fs.statSync(dataFolder, { throwIfNoEntry: false })?.uid ?? null;
  const identity = chooseIdentity(folder, ownerUid);
  const binaries = findBinaries(path.join(folder, 'programs'), identity);
  const cluster = { folder, dataFolder, identity, binaries, settings: { ...baseSettings, ...settings } };
  if (ownerUid === null) {
    log.info({ folder }, 'making a new PostgreSQL cluster');
    initialize(cluster);
  }
  const version = fs.readFileSync(path.join(dataFolder, 'PG_VERSION'), 'utf8').trim();
  if (Number(version) !== postgresMajor) {
    throw new StartError(
      `${dataFolder} belongs to PostgreSQL ${version}, this Headrace brings ${postgresMajor}`,
    );
  }
  return cluster;
}

/** Under another name until it is whole: initdb writes PG_VERSION early. */
function initialize({ folder, dataFolder, identity, binaries }: Cluster): void {
  const draft = `${dataFolder}.new`;
  const passwordFile = path.join(folder, 'password');
  fs.rmSync(draft, { recursive: true, force: true });
  fs.mkdirSync(draft, { mode: 0o700 });
  giveTo(identity, draft);
  fs.rmSync(passwordFile, { force: true });
  fs.writeFileSync(passwordFile, crypto.randomBytes(24).toString('base64url'), { mode: 0o600 });
  giveTo(identity, passwordFile);
  const options = [
    ...['-D', draft, '-U', role, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8'],
    ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'],
  ];
  const [program = '', ...prefixed] = [...identity.commandPrefix, binaries.initdb, ...options];
  const made = spawnSync(program, prefixed, {
    ...identity.spawnOptions,
    cwd: '/',
    env: postgresEnvironment,
    encoding: 'utf8',
  });
  if (made.status !== 0)
    throw new Error(`initdb failed: ${made.stderr || made.error?.message || `status ${made.status}`}`);
  fs.renameSync(draft, dataFolder);
}

/** Nothing of ours: a locale or a PG* variable of the user must not change how the cluster works. */
const postgresEnvironment = { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin' };

/** Another program may take the port between our look and PostgreSQL's: then once more with another port. */
async function launch(cluster: Cluster, log: Logger, keepPort?: number): Promise<Postmaster> {
  for (let attempt = 1; ; attempt += 1) {
    const port = keepPort ?? (await choosePort(cluster));
    const logSize = fs.statSync(logFile(cluster), { throwIfNoEntry: false })?.size ?? 0;
    const postmaster = await tryLaunch(cluster, port);
    if (postmaster) {
      fs.writeFileSync(path.join(cluster.folder, 'port'), String(port));
      return postmaster;
    }
    const said = readLogFrom(cluster, logSize);
    if (attempt >= launchAttemptsMax) throw new Error(`PostgreSQL did not start:\n${said}`);
    log.warn({ port, said }, 'PostgreSQL did not start, trying again');
  }
}

async function tryLaunch(cluster: Cluster, port: number): Promise<Postmaster | null> {
  const { identity, binaries, dataFolder, settings } = cluster;
  const options = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const [program = '', ...prefixed] = [
    ...identity.commandPrefix,
    binaries.postgres,
    '-D',
    dataFolder,
    ...options,
  ];
  // To a file and in a session of its own: it must go on when this server is killed or its terminal closes.
  const output = openLog(cluster);
  const child = spawn(program, prefixed, {
    ...identity.spawnOptions,
    cwd: '/',
    env: postgresEnvironment,
    stdio: ['ignore', output, output],
    detached: true,
  });
  fs.closeSync(output);
  const ended = new Promise<null>((resolve) => {
    child.once('exit', () => resolve(null));
    child.once('error', () => resolve(null));
  });
  child.unref();
  return waitUntilReady(dataFolder, child.pid ?? 0, ended);
}

async function choosePort({ folder }: Cluster): Promise<number> {
  const file = path.join(folder, 'port');
  const kept = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0;
  return Number.isInteger(kept) && kept > 0 && (await isPortFree(kept)) ? kept : findFreePort();
}

const logFile = ({ folder }: Cluster) => path.join(folder, 'postgres.log');

function openLog(cluster: Cluster): number {
  return fs.openSync(logFile(cluster), 'a', 0o600);
}

function readLogFrom(cluster: Cluster, position: number): string {
  return fs.readFileSync(logFile(cluster)).subarray(position).subarray(-4_000).toString('utf8').trim();
}

/**
 *   running ──it ended──▶ away ──started──▶ running        stop() from anywhere ──▶ stopped
 *                          └──did not start: waits, longer each time
 */
function supervise(cluster: Cluster, first: Postmaster, log: Logger): Pick<EmbeddedPostgres, 'pid' | 'stop'> {
  const stopping = new AbortController();
  let current: Postmaster | null = first;

  async function keepRunning(): Promise<void> {
    let waitMs = restartFirstMs;
    while (!stopping.signal.aborted) {
      if (current) {
        const startedAt = performance.now();
        await watchExit(current, stopping.signal);
        if (stopping.signal.aborted) return;
        if (performance.now() - startedAt > restartMaxMs * 2) waitMs = restartFirstMs;
        log.error({ postgres_pid: current.pid }, 'PostgreSQL ended by itself; starting it again');
        current = null;
      }
      await waitForExit(waitMs, stopping.signal);
      if (stopping.signal.aborted) return;
      waitMs = Math.min(waitMs * 2, restartMaxMs);
      try {
        current = (await findPostmaster(cluster.dataFolder)) ?? (await launch(cluster, log, first.port));
        log.info({ postgres_pid: current.pid }, 'PostgreSQL is back');
      } catch (error) {
        log.error({ err: error }, 'PostgreSQL could not be started again');
      }
    }
  }

  const rotation = rotateLog({
    file: logFile(cluster),
    bytesMax: logBytesMax,
    onError: (error) => log.warn({ err: error }, "PostgreSQL's log cannot be rotated"),
  });
  const keeping = keepRunning();
  return {
    pid: () => current?.pid ?? null,
    async stop() {
      stopping.abort();
      rotation.stop();
      await keeping;
      if (current) await stopPostmaster(current);
      current = null;
    },
  };
}
