/**
 * The state folder of a worker on its own: its id, which it keeps, and proof that one process at a time speaks for it.
 *
 *   worker.json      its id, the instances that may speak for it as far as a server knows, and where they were
 *   worker.lock.<n>  the process that holds the folder; the highest n counts, so of two takers one fails
 *   lease.json       until when processes of this worker may run (see lease-guard.ts)
 *   hosts/           its hosts, as those of a server
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { identifyProcess, isAlive, type ProcessIdentity } from '../hosts/local/processes.ts';

export interface WorkerState {
  readonly workerId: string;
  readonly instanceId: string;
  /**
   * Those that ended here before: the last one that was surely signed on, and all after it, the newest first. None when
   * this cannot be their successor: the folder is a copy, or was on another machine.
   */
  readonly previousInstanceIds: readonly string[];
  readonly hostsFolder: string;
  readonly folder: string;
  /** A server knows this instance: those before it matter no more. */
  signedOn(): void;
  release(): void;
}

/** What the person who started the worker can mend. */
export class WorkerStateError extends Error {}

interface WorkerFile {
  readonly worker_id: string;
  readonly instance_id: string;
  readonly place: string;
  /** Before it, the newest first; none since it is signed on. Missing in files of earlier releases. */
  readonly earlier_instance_ids?: readonly string[];
}

/** Starts that met no server, one after the other: the newest, and the one that was signed on, are kept. */
const earlierMax = 20;

export function openWorkerState(folder: string, wantedId: string | null): WorkerState {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (fs.existsSync(path.join(folder, 'settings.json')))
    throw new WorkerStateError(`${folder} is the state folder of a server: give another --state-dir`);
  const lock = takeLock(folder);
  const file = path.join(folder, 'worker.json');
  const known = readWorkerFile(file);
  if (known !== null && wantedId !== null && known.worker_id !== wantedId) {
    throw new WorkerStateError(
      `${folder} belongs to worker ${known.worker_id}, not to ${wantedId}: give another --state-dir, or leave the id out`,
    );
  }
  const place = placeOf(folder);
  const workerId = known?.worker_id ?? wantedId ?? `worker-${crypto.randomBytes(6).toString('hex')}`;
  const instanceId = crypto.randomUUID();
  const previousInstanceIds = known?.place === place ? listInstances(known) : [];
  const written: WorkerFile = { worker_id: workerId, instance_id: instanceId, place };
  // Written before it is used: a process that is killed right after it registered has a successor that knows it. One that
  // ends before it has registered passes on whom a server knows.
  writeWhole(file, { ...written, earlier_instance_ids: previousInstanceIds });
  return {
    workerId,
    instanceId,
    previousInstanceIds,
    folder,
    signedOn: () => writeWhole(file, written),
    hostsFolder: path.join(folder, 'hosts'),
    release: () => fs.writeFileSync(lock, '{}'),
  };
}

function listInstances({ instance_id, earlier_instance_ids = [] }: WorkerFile): string[] {
  const all = [instance_id, ...earlier_instance_ids];
  return all.length <= earlierMax ? all : [...all.slice(0, earlierMax - 1), ...all.slice(-1)];
}

/** This machine and this very folder: the lock proves nothing about another machine, or the original of a copy. */
function placeOf(folder: string): string {
  const { dev, ino } = fs.statSync(folder);
  return `${os.hostname()} ${machineId()} ${dev}:${ino}`;
}

function machineId(): string {
  try {
    return fs.readFileSync('/etc/machine-id', 'utf8').trim();
  } catch {
    return '-';
  }
}

function readWorkerFile(file: string): WorkerFile | null {
  try {
    // Written below, whole.
    return JSON.parse(fs.readFileSync(file, 'utf8')) as WorkerFile;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new WorkerStateError(`${file} cannot be read: repair or remove it`, { cause: error });
  }
}

const lockTriesMax = 20;

/** The lock's file. Linked into place whole; the number never goes back, so a slow taker cannot revive an old lock. */
function takeLock(folder: string): string {
  const draft = path.join(folder, `worker.lock-draft-${crypto.randomUUID()}`);
  fs.writeFileSync(draft, JSON.stringify(identifyProcess(process.pid)), { mode: 0o600 });
  try {
    for (let tries = 0; tries < lockTriesMax; tries += 1) {
      const numbers = listLocks(folder);
      const current = numbers[0] ?? 0;
      const holder = readHolder(path.join(folder, `worker.lock.${current}`));
      if (holder !== null && isAlive(holder)) {
        throw new WorkerStateError(
          `${folder} is in use by the worker with process id ${holder.pid}: stop it first, or give another --state-dir`,
        );
      }
      const file = path.join(folder, `worker.lock.${current + 1}`);
      if (!tryLink(draft, file)) continue;
      if (listLocks(folder)[0] !== current + 1) continue; // A slower look than another taker's: theirs is the lock.
      for (const number of numbers) fs.rmSync(path.join(folder, `worker.lock.${number}`), { force: true });
      return file;
    }
  } finally {
    fs.rmSync(draft, { force: true });
  }
  throw new WorkerStateError(`cannot lock ${folder}: other workers are starting on it`);
}

function listLocks(folder: string): number[] {
  return fs
    .readdirSync(folder)
    .map((name) => Number(/^worker\.lock\.(\d+)$/.exec(name)?.[1] ?? 0))
    .filter((number) => number > 0)
    .sort((a, b) => b - a);
}

function readHolder(file: string): ProcessIdentity | null {
  try {
    const holder = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<ProcessIdentity>;
    return holder.pid === undefined ? null : { pid: holder.pid, startTime: holder.startTime ?? null };
  } catch {
    // Gone, released, or cut short by a crash of the machine: nobody holds it.
    return null;
  }
}

function tryLink(draft: string, file: string): boolean {
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

export function writeWhole(file: string, content: object): void {
  fs.writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
}
