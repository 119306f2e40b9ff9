/** Hosts as detached Python processes on this machine; they outlive the server. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ClusterAssignment } from '../../ports.ts';
import type { FoundHost, HostBackend, HostConnection } from '../host-backend.ts';
import type { ExecutorConf } from '../spark-standalone/executor-conf.ts';
import { HostStartError } from '../start-errors.ts';
import { describeHostEnded } from './host-death.ts';
import { acknowledgeInJournal, readJournal } from './journal.ts';
import { buryHost, openLocalHost, readHostRecord, renameHost } from './local-host.ts';
import { hostMark, isAlive, kill, killMarked } from './processes.ts';

/** Python and asyncio need 0.2 s; a machine that needs longer than this is in trouble. */
const startWaitMs = 30_000;
const startPollMs = 5;
/** After the grace: the host's own proofs, and the JVM's end. */
const stopMarginMs = 40_000;
const logBytesMax = 1024 * 1024;
const failureFile = 'start-failure.json';

/** What is passed on from our environment; all else stays out of tasks. */
const passedVariables = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'REQUESTS_CA_BUNDLE',
  'PIP_CONFIG_FILE',
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'PIP_CERT',
  'PIP_FIND_LINKS',
  'PIP_NO_INDEX',
];

/**
 * What Spark tasks import anyway; 0.3 s of the first `count()` are imports of the classic data frame. Not pandas: with
 * it a fork and its end cost 13 ms, not 6, for every task, and it brings a second thread that a fork does not copy;
 * without it the tasks that use it pay 0.6 s once (2 cores, November 2026).
 */
export const preimportDefault = [
  'pyspark.sql',
  'pyspark.sql.functions',
  'pyspark.sql.classic.dataframe',
] as const;

/** The part of `.runtime/runtime.json` that a host needs; without Java and Spark it runs Python only. */
export interface HostRuntime {
  readonly python: string;
  readonly spark: {
    readonly java: string;
    readonly sparkHome: string;
    readonly classPath: readonly string[];
    readonly jvmOptions: readonly string[];
    readonly classDataArchive: string | null;
  } | null;
}

export interface LocalBackendOptions {
  /** `<state>/hosts`. */
  readonly hostsFolder: string;
  readonly dataRoot: string;
  readonly runtime: HostRuntime;
  /** The folder that holds the package `headrace_runtime`. */
  readonly pythonPath: string;
  /** Imported by the zygote before it forks. */
  readonly preimport: readonly string[];
  /** Whether an idle host whose Spark has been used once warms it up with a small Delta write. */
  readonly warmUp: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workerId: string;
  /** Folders that external volumes may be in or below, for Spark's file system of volumes. */
  readonly externalLocations?: readonly string[];
  /** Where Spark drivers work, if not on their own; rejects with a message for people. */
  readonly placeSpark?: (
    cluster: ClusterAssignment,
    signal: AbortSignal | undefined,
  ) => Promise<ExecutorConf>;
}

/** Reads `.runtime/runtime.json`, written by the set-up. */
export function readHostRuntime(file: string): HostRuntime {
  // Our own set-up wrote it.
  const runtime = JSON.parse(fs.readFileSync(file, 'utf8')) as { python: string } & NonNullable<
    HostRuntime['spark']
  >;
  const { python, java, sparkHome, classPath, jvmOptions, classDataArchive } = runtime;
  return { python, spark: { java, sparkHome, classPath, jvmOptions, classDataArchive } };
}

export function createLocalBackend(options: LocalBackendOptions): HostBackend {
  const { hostsFolder, workerId } = options;
  /** Of hosts that were given to a cluster: their folders keep the names under which their processes know them. */
  const folders = new Map<string, string>();
  const folderOf = (hostKey: string) => folders.get(hostKey) ?? path.join(hostsFolder, hostKey);
  const remove = (hostKey: string) => {
    fs.rmSync(folderOf(hostKey), { recursive: true, force: true });
    folders.delete(hostKey);
  };

  return {
    name: 'local',
    async start(cluster, { signal } = {}): Promise<HostConnection> {
      const folder = folderOf(cluster.hostKey);
      const before = readHostRecord(folder);
      if (before !== null) await buryHost(folder, before);
      // Of a start that was broken off before the host had told who it is.
      else if (fs.existsSync(folder)) await killMarked(folder);
      const spark = await options.placeSpark?.(cluster, signal);
      const socketFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'hr-'));
      prepareFolder(folder, cluster, { ...options, socketFolder, spark });
      const child = spawnHost(folder, cluster, options);
      try {
        await awaitHostFile(folder, child, { waitMs: startWaitOf(cluster), signal });
        const record = readHostRecord(folder);
        if (record === null) throw new Error(`${folder}/host.json is not readable`);
        return await openLocalHost({ folder, record, workerId });
      } catch (error) {
        if (child.pid !== undefined) kill(child.pid);
        // An init script has processes of its own.
        await killMarked(folder);
        fs.rmSync(socketFolder, { recursive: true, force: true });
        // What an earlier host of this key did may still have to be told.
        if (!fs.existsSync(path.join(folder, 'journal.jsonl')))
          fs.rmSync(folder, { recursive: true, force: true });
        throw error;
      }
    },
    async attach(): Promise<readonly FoundHost[]> {
      if (!fs.existsSync(hostsFolder)) return [];
      const names = fs.readdirSync(hostsFolder);
      const found = await Promise.all(
        names.map((name) => attachHost(path.join(hostsFolder, name), workerId)),
      );
      for (const [index, host] of found.entries()) {
        const hostKey = host?.kind === 'alive' ? host.connection.hostKey : host?.hostKey;
        const name = names[index];
        if (hostKey !== undefined && name !== undefined && hostKey !== name)
          folders.set(hostKey, path.join(hostsFolder, name));
      }
      return found.filter((host) => host !== null);
    },
    give(connection, to) {
      const folder = folderOf(connection.hostKey);
      if (fs.existsSync(folderOf(to.hostKey)) || !renameHost(folder, to)) return null;
      folders.delete(connection.hostKey);
      folders.set(to.hostKey, folder);
      return { ...connection, hostKey: to.hostKey, clusterId: to.clusterId };
    },
    acknowledge(hostKey, attempts) {
      const file = path.join(folderOf(hostKey), 'journal.jsonl');
      if (attempts.length > 0) acknowledgeInJournal(file, readJournal(file), attempts);
    },
    forget: remove,
    destroy(connection) {
      const record = readHostRecord(folderOf(connection.hostKey));
      if (record !== null) kill(record.pid);
    },
    async stop(connection, { graceMs }) {
      const record = readHostRecord(folderOf(connection.hostKey));
      connection.send([{ op: 'shutdown', grace_ms: graceMs }]);
      const timer = setTimeout(() => record !== null && kill(record.pid), graceMs + stopMarginMs);
      const { attempts } = await connection.died;
      clearTimeout(timer);
      // Clusters of single runs are many: their folders go with them, unless there is something left to read.
      if (attempts.length === 0) remove(connection.hostKey);
    },
  };
}

async function attachHost(folder: string, workerId: string): Promise<FoundHost | null> {
  const record = readHostRecord(folder);
  if (record === null) return null;
  let reason: string | null = null;
  if (isAlive(record)) {
    try {
      return { kind: 'alive', connection: await openLocalHost({ folder, record, workerId }) };
    } catch (error) {
      // It lives and cannot be talked to: of another release, or frozen. What cannot be led must end.
      reason = reasonOf(error);
    }
  }
  const { message, attempts } = await buryHost(folder, record);
  const told = reason === null ? message : describeHostEnded(record.pid, reason);
  const death = { message: told, attempts };
  return { kind: 'dead', hostKey: record.hostKey, clusterId: record.clusterId, death };
}

/** Of an error that wraps what the host said. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function prepareFolder(
  folder: string,
  cluster: ClusterAssignment,
  options: LocalBackendOptions & { readonly socketFolder: string; readonly spark: ExecutorConf | undefined },
): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of ['host.json', failureFile]) fs.rmSync(path.join(folder, name), { force: true });
  const { initScripts } = cluster;
  const config = {
    host_key: cluster.hostKey,
    cluster_id: cluster.clusterId,
    cluster_name: cluster.clusterName,
    ...(initScripts && {
      init_scripts: {
        paths: initScripts.paths,
        log_folder: initScripts.logFolder,
        timeout_ms: initScripts.timeoutMs,
      },
    }),
    socket_folder: options.socketFolder,
    runtime: options.runtime.spark,
    spark_conf: cluster.sparkConf,
    ...(options.spark && { executors: cluster.executors ?? null, spark_place: options.spark }),
    ...(cluster.pool && { pool_id: cluster.pool.poolId }),
    data_root: options.dataRoot,
    external_locations: options.externalLocations ?? [],
    preimport: options.preimport,
    warm_up: options.warmUp,
    secret_values: (cluster.secretValues ?? []).map((value) => Buffer.from(value).toString('base64')),
  };
  fs.writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600 });
}

function spawnHost(folder: string, cluster: ClusterAssignment, options: LocalBackendOptions): ChildProcess {
  const logFile = path.join(folder, 'host.log');
  const isLong = fs.existsSync(logFile) && fs.statSync(logFile).size > logBytesMax;
  const log = fs.openSync(logFile, isLong ? 'w' : 'a', 0o600);
  try {
    const child = spawn(options.runtime.python, ['-s', '-m', 'headrace_runtime.host', '--folder', folder], {
      cwd: folder,
      detached: true,
      stdio: ['ignore', log, log],
      env: hostEnvironment(folder, cluster, options),
    });
    child.unref();
    return child;
  } finally {
    fs.closeSync(log);
  }
}

/**
 * Clean: an inherited PYTHONDONTWRITEBYTECODE, for one, makes every process compile its imports anew.
 */
function hostEnvironment(
  folder: string,
  cluster: ClusterAssignment,
  options: LocalBackendOptions,
): NodeJS.ProcessEnv {
  const names = Object.keys(options.environment).filter(
    (name) => passedVariables.includes(name) || name.startsWith('LC_'),
  );
  const passed = Object.fromEntries(names.map((name) => [name, options.environment[name]]));
  return {
    LANG: 'C.UTF-8',
    ...passed,
    ...cluster.environment,
    PYTHONPATH: options.pythonPath,
    [hostMark]: folder,
  };
}

function startWaitOf({ initScripts }: ClusterAssignment): number {
  return startWaitMs + (initScripts?.timeoutMs ?? 0);
}

async function awaitHostFile(
  folder: string,
  child: ChildProcess,
  { waitMs, signal }: { readonly waitMs: number; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const deadline = performance.now() + waitMs;
  let failure: string | null = null;
  child.once('error', (error) => {
    failure = error.message;
  });
  while (!fs.existsSync(path.join(folder, 'host.json'))) {
    signal?.throwIfAborted();
    const told = child.exitCode === null ? null : readFailure(folder);
    if (told !== null) throw told;
    if (child.exitCode !== null || child.signalCode !== null)
      failure = lastLines(path.join(folder, 'host.log'));
    if (performance.now() > deadline) failure = `no answer within ${waitMs / 1000} s`;
    if (failure !== null) throw new Error(`the host process did not start: ${failure}`);
    await new Promise((resolve) => setTimeout(resolve, startPollMs));
  }
}

/** What headrace_runtime/init_scripts.py says of a start that it ended. */
function readFailure(folder: string): HostStartError | null {
  const file = path.join(folder, failureFile);
  if (!fs.existsSync(file)) return null;
  // Our own host wrote it.
  const { code, message } = JSON.parse(fs.readFileSync(file, 'utf8')) as HostStartError;
  return new HostStartError(code, message);
}

function lastLines(file: string): string {
  return fs.readFileSync(file, 'utf8').trim().split('\n').slice(-3).join(' | ');
}
