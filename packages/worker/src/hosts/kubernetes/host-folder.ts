/**
 * The folder of one host on the claim: our record of its Pod, and below it the folder that the Pod mounts. The record is
 * written before the Pod is made, so that no Pod is ever without one. Code of tasks can write whatever it likes into `host/`:
 * nothing is written there once the Pod has been asked for, and what is read goes through read-guest-file.ts.
 *
 *   pod.json               which Pod, for which cluster; once that is proven, how it died
 *   worker-key.pem         our side of it: see worker-key.ts
 *   host/config.json       for headrace_runtime/host.py
 *   host/environment       of the host and every task, secrets included (0600)
 *   host/worker-key.pem    the host's side
 *   host/journal.jsonl     the host's, as are host.json and, where an init script ended the start, start-failure.json
 */
import fs from 'node:fs';
import path from 'node:path';
import type { AttemptRef, ClusterAssignment } from '../../ports.ts';
import type { HostSetup } from '../host-backend.ts';
import type { HostedAttempt } from '../host-protocol.ts';
import { acknowledgeInJournal, parseJournal } from '../local/journal.ts';
import { hostMark } from '../local/processes.ts';
import { HostStartError } from '../start-errors.ts';
import { readGuestFile } from './read-guest-file.ts';
import type { PodSparkConf } from './spark-on-pods.ts';
import { makeWorkerKey, workerKeyFile } from './worker-key.ts';

export interface PodRecord {
  readonly name: string;
  readonly start: string;
  /** Where it was asked for: another place that has no such Pod proves nothing. */
  readonly namespace: string;
  /** The address of its API. */
  readonly server: string;
  /** As the API has given it. Null: whether the request came through is not known, and its name is that of this start alone. */
  readonly uid: string | null;
  readonly hostKey: string;
  readonly clusterId: string;
  readonly setup: HostSetup;
  /** Proven. */
  readonly death?: string;
  /** Its start has failed, or is not wanted any more: it only has to end. */
  readonly isAbandoned?: true;
}

export interface HostFolderOptions {
  readonly dataRoot: string;
  readonly pythonPath: string;
  /** As `.runtime/runtime.json` has it; null: plain Python only. */
  readonly spark: object | null;
  readonly preimport: readonly string[];
  readonly warmUp: boolean;
}

const recordFile = 'pod.json';
const journalFile = 'journal.jsonl';
/** A host keeps about 1 KB for each attempt that was not acknowledged, and clears away the others. */
const journalBytesMax = 64 * 1024 * 1024;
/** One small document. */
const documentBytesMax = 64 * 1024;
/** What a shell takes as a name; any other could not be exported. */
const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The part that its Pod sees. */
export function hostFolderOf(folder: string): string {
  return path.join(folder, 'host');
}

export function writeHostFolder(
  folder: string,
  {
    record,
    cluster,
    sparkConf,
  }: {
    readonly record: PodRecord;
    readonly cluster: ClusterAssignment;
    readonly sparkConf: PodSparkConf;
  },
  options: HostFolderOptions,
): void {
  const hostFolder = hostFolderOf(folder);
  fs.mkdirSync(hostFolder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) =>
    fs.writeFileSync(path.join(hostFolder, name), text, { mode: 0o600 });
  const { initScripts, pool } = cluster;
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
    runtime: options.spark,
    spark_conf: sparkConf.shared,
    // Nothing here can watch executors that are Pods.
    spark_place: { conf: sparkConf.driver, watch: null },
    ...(pool && { pool_id: pool.poolId }),
    data_root: options.dataRoot,
    preimport: options.preimport,
    warm_up: options.warmUp,
    secret_values: (cluster.secretValues ?? []).map((value) => Buffer.from(value).toString('base64')),
  };
  write('config.json', JSON.stringify(config));
  const key = makeWorkerKey();
  write(workerKeyFile, key);
  fs.writeFileSync(path.join(folder, workerKeyFile), key, { mode: 0o600 });
  const environment = {
    LANG: 'C.UTF-8',
    ...cluster.environment,
    PYTHONPATH: options.pythonPath,
    [hostMark]: hostFolder,
  };
  write('environment', exportsOf(environment));
  writePodRecord(folder, record);
}

/** Whole or not at all. */
export function writePodRecord(folder: string, record: PodRecord): void {
  const file = path.join(folder, recordFile);
  fs.writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}

/** Null for a start that did not come so far as to make a Pod. What cannot be read may be the record of one that lives. */
function readPodRecord(folder: string): PodRecord | null {
  const file = path.join(folder, recordFile);
  try {
    // We wrote it, whole, by renaming, and no Pod mounts it.
    return JSON.parse(fs.readFileSync(file, 'utf8')) as PodRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`${file}, the record of a Pod, cannot be read`, { cause: error });
  }
}

export function listPodRecords(
  podsFolder: string,
): { readonly folder: string; readonly record: PodRecord | null }[] {
  if (!fs.existsSync(podsFolder)) return [];
  return fs.readdirSync(podsFolder).map((name) => {
    const folder = path.join(podsFolder, name);
    return { folder, record: readPodRecord(folder) };
  });
}

export function readAttempts(folder: string): readonly HostedAttempt[] {
  return parseJournal(readOfHost(folder, journalFile, journalBytesMax) ?? '');
}

export function acknowledgeAttempts(folder: string, refs: readonly AttemptRef[]): void {
  acknowledgeInJournal(path.join(hostFolderOf(folder), journalFile), readAttempts(folder), refs);
}

/** The host that takes the place of a dead one answers for what was not told yet. Before its Pod is asked for. */
export function copyJournal(from: string, to: string): void {
  const journal = readOfHost(from, journalFile, journalBytesMax);
  if (journal !== null) fs.appendFileSync(path.join(hostFolderOf(to), journalFile), journal, { mode: 0o600 });
}

export function readKey(folder: string): string {
  return fs.readFileSync(path.join(folder, workerKeyFile), 'utf8');
}

/** Of the protocol that the host speaks; null until it has begun to. */
export function readVersion(folder: string): number | null {
  const { version } = readDocument(folder, 'host.json');
  return typeof version === 'number' ? version : null;
}

/** What headrace_runtime/init_scripts.py says of a start that it ended. */
export function readStartFailure(folder: string): HostStartError | null {
  const { code, message } = readDocument(folder, 'start-failure.json');
  return code === 'INIT_SCRIPT_FAILURE' && typeof message === 'string'
    ? new HostStartError(code, message)
    : null;
}

/** Empty where there is none, or none that is whole. */
function readDocument(folder: string, name: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(readOfHost(folder, name, documentBytesMax) ?? '{}');
    return typeof parsed === 'object' ? { ...parsed } : {};
  } catch {
    return {};
  }
}

function readOfHost(folder: string, name: string, sizeBytesMax: number): string | null {
  return readGuestFile(path.join(hostFolderOf(folder), name), sizeBytesMax);
}

/** For a shell to read. */
export function exportsOf(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .filter(([name]) => shellName.test(name))
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join('');
}
