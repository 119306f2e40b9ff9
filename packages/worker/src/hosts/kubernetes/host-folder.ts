/**
 * The folder of one host on the claim, which its Pod mounts: what the host is told, its journal, and our record of the Pod.
 * The record is written before the Pod is made, so that no Pod is ever without one.
 *
 *   pod.json          ours   which Pod, for which cluster; once that is proven, how it died
 *   config.json       ours   for headrace_runtime/host.py
 *   environment       ours   of the host and every task, secrets included (0600)
 *   worker-key.pem    ours   see worker-key.ts
 *   journal.jsonl     the host's, and start-failure.json where an init script ended the start
 */
import fs from 'node:fs';
import path from 'node:path';
import type { ClusterAssignment } from '../../ports.ts';
import type { HostSetup } from '../host-backend.ts';
import type { HostedAttempt } from '../host-protocol.ts';
import { readJournal } from '../local/journal.ts';
import { readHostRecord } from '../local/local-host.ts';
import { hostMark } from '../local/processes.ts';
import { HostStartError } from '../start-errors.ts';
import { makeWorkerKey, workerKeyFile } from './worker-key.ts';

export interface PodRecord {
  readonly name: string;
  readonly start: string;
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
/** What a shell takes as a name; any other could not be exported. */
const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/;

export function writeHostFolder(
  folder: string,
  {
    record,
    cluster,
    sparkConf,
  }: {
    readonly record: PodRecord;
    readonly cluster: ClusterAssignment;
    /** With what the place adds to it. */
    readonly sparkConf: Readonly<Record<string, string>>;
  },
  options: HostFolderOptions,
): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) =>
    fs.writeFileSync(path.join(folder, name), text, { mode: 0o600 });
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
    spark_conf: sparkConf,
    ...(pool && { pool_id: pool.poolId }),
    data_root: options.dataRoot,
    preimport: options.preimport,
    warm_up: options.warmUp,
    secret_values: (cluster.secretValues ?? []).map((value) => Buffer.from(value).toString('base64')),
  };
  write('config.json', JSON.stringify(config));
  write(workerKeyFile, makeWorkerKey());
  const environment = {
    LANG: 'C.UTF-8',
    ...cluster.environment,
    PYTHONPATH: options.pythonPath,
    [hostMark]: folder,
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

/** Null for a folder of something else, or of a start that did not come so far as to make a Pod. */
export function readPodRecord(folder: string): PodRecord | null {
  try {
    // We wrote it, whole, by renaming.
    return JSON.parse(fs.readFileSync(path.join(folder, recordFile), 'utf8')) as PodRecord;
  } catch {
    return null;
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
  return readJournal(path.join(folder, 'journal.jsonl'));
}

/** The host that takes the place of a dead one answers for what was not told yet. */
export function copyJournal(from: string, to: string): void {
  const journal = path.join(from, 'journal.jsonl');
  if (fs.existsSync(journal))
    fs.appendFileSync(path.join(to, 'journal.jsonl'), fs.readFileSync(journal), { mode: 0o600 });
}

export function readKey(folder: string): string {
  return fs.readFileSync(path.join(folder, workerKeyFile), 'utf8');
}

/** Of the protocol that the host speaks; null until it has begun to. */
export function readVersion(folder: string): number | null {
  return readHostRecord(folder)?.version ?? null;
}

/** What headrace_runtime/init_scripts.py says of a start that it ended. */
export function readStartFailure(folder: string): HostStartError | null {
  try {
    const text = fs.readFileSync(path.join(folder, 'start-failure.json'), 'utf8');
    const { code, message } = JSON.parse(text) as HostStartError;
    return new HostStartError(code, message);
  } catch {
    return null;
  }
}

/** For a shell to read. */
export function exportsOf(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .filter(([name]) => shellName.test(name))
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join('');
}
