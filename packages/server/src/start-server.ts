/**
 * Composes the server and takes it apart again. Each part that is started registers how it ends; a stop, or a start
 * that fails half-way, ends them in reverse order. The worker is handed in: only main.ts knows which one.
 */
import type { AttemptSource, ClusterAssignment } from '@headrace/worker';
import type { Logger } from 'pino';
import { createAuditRecorder } from './audit/audit-recorder.ts';
import type { FolderStore } from './blobs/folder-store.ts';
import { type OpenedBlobs, openBlobs } from './blobs/open-blobs.ts';
import { createCatalogNames } from './catalogs/catalog-names.ts';
import { ensureCatalogs } from './catalogs/ensure-catalogs.ts';
import { type RunningHttp, startHttp } from './compose-http.ts';
import { composeOperations } from './compose-operations.ts';
import { composeRuns, type RunParts } from './compose-runs.ts';
import { composeSql } from './compose-sql.ts';
import { type ClusterBook, createClusterBook } from './compute/cluster-book.ts';
import type { Config } from './config.ts';
import type { Principal } from './context.ts';
import { connectDatabase } from './db/connect.ts';
import { migrate } from './db/migrate.ts';
import { awaitStore } from './db/store-away.ts';
import { type StoreClock, startStoreClock } from './db/store-clock.ts';
import { createRunEventBus } from './event-bus.ts';
import { createIdSource } from './ids.ts';
import { createLoopDriver, type LoopDriver } from './loops/driver.ts';
import { removeOldDrafts } from './secrets/key-file.ts';
import { createRevealSecrets } from './secrets/reveal-secrets.ts';
import { createSecretKeys, type SecretKeys } from './secrets/secret-key.ts';
import type { Services } from './services.ts';
import { ensureBucketPlace, ensureWorkspaceId } from './status/workspace-facts.ts';
import { claimDataRoot } from './store/data-root-id.ts';
import { startEmbeddedPostgres } from './store/embedded-postgres.ts';
import {
  layOut,
  readStateSettings,
  removeServerFile,
  type StateFolder,
  type StateSettings,
  writeServerFile,
  writeStateSettings,
} from './store/state-folder.ts';
import { lockStateFolder } from './store/state-lock.ts';
import { createTeardown, type Teardown } from './teardown.ts';
import { openTls, type ServerTls } from './tls/open-tls.ts';
import { ensureAdmin, mintFirstToken, mintLocalToken } from './tokens/first-start.ts';
import { ensureDefaultWarehouse } from './warehouses/save-warehouse.ts';
import { ensureHomeFolders } from './workspace/make-folders.ts';

export interface WorkerWiring {
  readonly source: AttemptSource;
  readonly workerId: string;
  readonly hostsFolder: string;
  readonly dataRoot: string;
  /** To be kept warm. */
  readonly spare: ClusterAssignment;
}

export interface ServerOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly version: string;
  /** Folder of the built UI. */
  readonly webFolder: string;
  /** Ends a start that waits for its store. */
  readonly stopRequested?: AbortSignal;
  /** Null: attempts are left to workers elsewhere. */
  readonly startWorker: ((wiring: WorkerWiring) => Promise<{ stop(): Promise<void> }>) | null;
}

export interface RunningServer {
  readonly url: string;
  readonly localToken: string;
  /** Of the administrator; only at the first start, to be shown once. */
  readonly newAdminToken: string | null;
  readonly services: Services;
  /** Drains, then ends everything that was started. */
  stop(): Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const teardown = createTeardown(options.log, options.config.drainMs);
  try {
    return await startParts(options, teardown);
  } catch (error) {
    await teardown.run();
    throw error;
  }
}

async function startParts(options: ServerOptions, teardown: Teardown): Promise<RunningServer> {
  const { config } = options;
  const state = layOut(config.stateDir);
  const lock = await lockStateFolder(state.folder);
  teardown.add('state folder lock', lock.release);
  const settings = await readStateSettings(state);
  const services = await openServices(options, state, teardown);
  const { db, blobs, embeddedPid, secretKeys } = services;
  const workspaceId = await ensureWorkspaceId(db);
  const admin = await ensureAdmin(services);
  const clusters = createClusterBook(services);
  await ensureDefaults(services, admin, clusters);

  const loops = createLoops(services);
  const catalogNames = createCatalogNames(services);
  let http: RunningHttp | null = null;
  const advancer = () => runs.services.advancer;
  const operations = composeOperations(services, { loops, embeddedPid, advancer, version: options.version });
  const mayHaveNeighbours = config.databaseUrl !== null;
  const runs: RunParts = await composeRuns(services, {
    workspaceId,
    clusters,
    catalogNames,
    revealSecrets: createRevealSecrets(services),
    loops,
    observer: operations.observer,
    dataRoot: blobs.root,
    mayHaveNeighbours,
    urls: () => urlsOf(http, config.backend),
  });
  const sql = await composeSql(runs.services, { clusters, catalogNames, loops, mayHaveNeighbours });
  const audit = createAuditRecorder(services);
  teardown.add('audit', audit.stop);
  teardown.add('host reports', clusters.settle);
  teardown.add('runs', runs.stop);
  let isReady = false;
  const tls = await openTls(config, { folder: state.folder, clock: services.clock, log: options.log });
  const listening = await startHttp({
    ...{ services, runs, sql, clusters, operations },
    ...{ loops, audit, catalogNames, secretKeys, workspaceId },
    version: options.version,
    webFolder: options.webFolder,
    keptPort: settings.port,
    keptLocalPort: settings.local_port,
    tls,
    isReady: () => isReady,
  });
  http = listening;
  teardown.add('http', listening.close);
  const local = await mintLocalToken(services, admin.id);
  teardown.add('local token', local.revoke);
  await announce(state, { settings, listening, tls, token: local.token });
  teardown.add('server file', () => removeServerFile(state));
  teardown.add('loops', loops.stop);
  const workerId = settings.worker_id;
  await startOwnWorker(options, teardown, () => ({
    source: services.shipAttempts({ source: runs.source, workerId, loops, teardown }),
    workerId,
    hostsFolder: state.hostsFolder,
    dataRoot: blobs.root,
    spare: clusters.spareFor(admin),
  }));
  if (config.roles.includes('scheduler')) {
    operations.startLoops();
    runs.startLoops();
    sql.startLoops();
  }
  runs.startListening();
  teardown.add('event streams', async () => {
    isReady = false;
    listening.stopStreams();
  });
  const newAdminToken = await mintFirstToken(services, admin);
  isReady = true;
  return { url: listening.publicUrl, localToken: local.token, newAdminToken, services, stop: teardown.run };
}

/** Keeps the ports for the next start, and tells processes of this machine where the server is. */
async function announce(
  state: StateFolder,
  parts: { settings: StateSettings; listening: RunningHttp; tls: ServerTls | null; token: string },
): Promise<void> {
  const { settings, listening, tls, token } = parts;
  const { port, localPort, localUrl, publicUrl } = listening;
  await writeStateSettings(state, { ...settings, port, ...(localPort && { local_port: localPort }) });
  await writeServerFile(state, {
    ...{ url: publicUrl, token, pid: process.pid },
    ...(tls && { local_url: localUrl, ca_file: tls.caFile }),
  });
}

/** Where tasks of this server's worker find the API: Pods are on other machines. */
function urlsOf(http: RunningHttp | null, backend: Config['backend']) {
  const { localUrl = '', publicUrl = '' } = http ?? {};
  return { apiUrl: backend === 'kubernetes' ? publicUrl : localUrl, publicUrl };
}

/** Of every server, whatever its roles: it must know the time. */
function createLoops({ log, clock }: OpenServices): LoopDriver {
  const loops = createLoopDriver({ log, clock });
  loops.add(clock.loop);
  return loops;
}

async function startOwnWorker(
  { config, startWorker }: ServerOptions,
  teardown: Teardown,
  wire: () => WorkerWiring,
): Promise<void> {
  if (!startWorker || !config.roles.includes('worker')) return;
  const worker = await startWorker(wire());
  teardown.add('worker', worker.stop);
}

/** What everyone finds there from the first start on. */
async function ensureDefaults(services: Services, admin: Principal, clusters: ClusterBook): Promise<void> {
  await Promise.all([
    ensureHomeFolders(services, admin),
    ensureCatalogs(services, admin.userName),
    clusters.ensureDefault(admin),
    ensureDefaultWarehouse(services, admin),
  ]);
}

interface OpenServices extends Services {
  readonly clock: StoreClock;
  readonly blobs: FolderStore;
  readonly shipAttempts: OpenedBlobs['shipAttempts'];
  readonly secretKeys: SecretKeys;
  /** Null where PostgreSQL is not ours to run. */
  readonly embeddedPid: (() => number | null) | null;
}

async function openServices(
  options: ServerOptions,
  state: StateFolder,
  teardown: Teardown,
): Promise<OpenServices> {
  const { config, log } = options;
  const { db, embeddedPid } = await openDatabase(options, state, teardown);
  const workspaceId = () => ensureWorkspaceId(db);
  const { blobs, shipAttempts, close } = await openBlobs({
    dataRoot: state.dataRoot,
    config,
    workspaceId,
    bucketPlace: (proposal) => ensureBucketPlace(db, proposal),
    log,
  });
  teardown.add('blob store', close);
  // With a bucket, what servers must share is there, and it knows its workspace.
  if (config.blobUrl === null)
    await claimDataRoot({ db, dataRoot: blobs.root, isAlone: config.databaseUrl === null });
  const ids = await createIdSource(db);
  const clock = await startStoreClock(db, () => performance.now());
  const keyFile = config.secretsKeyFile ?? state.secretsKeyFile;
  // Files have the time of this machine, whatever that of the store is.
  await removeOldDrafts(keyFile, Date.now());
  const secretKeys = createSecretKeys({ db, file: keyFile });
  const events = createRunEventBus();
  return { db, embeddedPid, blobs, shipAttempts, secretKeys, ids, clock, log, config, events };
}

/** Connected and migrated. The embedded PostgreSQL unless the settings name another. */
async function openDatabase(
  { config, log, stopRequested }: ServerOptions,
  state: StateFolder,
  teardown: Teardown,
): Promise<Pick<OpenServices, 'db' | 'embeddedPid'>> {
  let embeddedPid: OpenServices['embeddedPid'] = null;
  let connection: Parameters<typeof connectDatabase>[0]['connection'];
  if (config.databaseUrl === null) {
    const postgres = await startEmbeddedPostgres({ folder: state.postgresFolder, log });
    teardown.add('PostgreSQL', postgres.stop);
    connection = postgres.connection;
    embeddedPid = postgres.pid;
  } else connection = config.databaseUrl;
  const db = connectDatabase({ connection, log, connectionsMax: config.databaseConnectionsMax });
  teardown.add('database connections', db.close);
  await awaitStore(db, { log, ...(stopRequested && { signal: stopRequested }) });
  const { applied } = await migrate(db.pool);
  if (applied.length > 0) log.info({ applied }, 'the schema was brought up to date');
  return { db, embeddedPid };
}
