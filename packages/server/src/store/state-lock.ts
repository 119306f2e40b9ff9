/**
 * One server per state folder. The lock is the file `server.lock.<n>` with the highest n, linked into place whole;
 * its holder is a process with a start time, so a lock left by `kill -9` is known to be stale. Taking over links
 * n + 1, which only one of several takers can do; n never goes back, so a slow taker cannot revive an old lock.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { StartError } from '../start-error.ts';
import { isAlive, type ProcessProof, proveProcess } from './process-proof.ts';

export interface StateLock {
  release(): Promise<void>;
}

export class StateFolderInUseError extends StartError {
  readonly holderPid: number;
  constructor(folder: string, holderPid: number) {
    super(
      `${folder} is in use by the server with process id ${holderPid}: stop it first, or use another state folder`,
    );
    this.holderPid = holderPid;
  }
}

/** Its hosts, its worker and its database would be led by two servers. */
export class StateFolderCopiedError extends StartError {
  constructor(folder: string, { pid, original }: { readonly pid: number; readonly original: string }) {
    super(
      `${folder} was copied from ${original} while the server with process id ${pid} ran there, which it still does: ` +
        'copy a running server with `headrace backup` and `headrace restore`, or stop it first',
    );
  }
}

/** Which folder it was written in: a copy has another number. Servers before these do not tell. */
interface LockedFolder {
  readonly path: string;
  readonly id: string;
}

type Holder = (ProcessProof & { readonly folder?: LockedFolder }) | { readonly released: true };
const attemptsMax = 20;

export async function lockStateFolder(folder: string): Promise<StateLock> {
  // As root, PostgreSQL runs as another user, who must pass through; names inside are no secret, contents are.
  await fs.mkdir(folder, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const proof = await proveProcess(process.pid);
  const here = await identifyFolder(folder);
  const self = proof && { ...proof, folder: here };
  if (!self) throw new Error('bug: this process cannot find itself');
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const [current = 0, ...older] = await listLockNumbers(folder);
    const holder = current === 0 ? null : await readHolder(lockFile(folder, current));
    if (holder && 'pid' in holder && (await isAlive(holder))) {
      const { folder: locked = here } = holder;
      if (locked.id === here.id) throw new StateFolderInUseError(folder, holder.pid);
      throw new StateFolderCopiedError(folder, { pid: holder.pid, original: locked.path });
    }
    if (!(await linkLock(folder, current + 1, self))) continue;
    const [highest] = await listLockNumbers(folder);
    if (highest !== current + 1) continue; // A slower look than another taker's: theirs is the lock.
    await Promise.all([current, ...older].map((number) => fs.rm(lockFile(folder, number), { force: true })));
    return { release: () => writeReleased(lockFile(folder, current + 1)) };
  }
  throw new Error(`cannot lock ${folder}: other servers are starting on it`);
}

async function identifyFolder(folder: string): Promise<LockedFolder> {
  const { dev, ino } = await fs.stat(folder);
  return { path: path.resolve(folder), id: `${dev}:${ino}` };
}

const lockFile = (folder: string, number: number) => path.join(folder, `server.lock.${number}`);

async function listLockNumbers(folder: string): Promise<number[]> {
  const names = await fs.readdir(folder);
  return names
    .map((name) => Number(/^server\.lock\.(\d+)$/.exec(name)?.[1] ?? 0))
    .filter((number) => number > 0)
    .sort((a, b) => b - a);
}

/** Null when the file went away or was cut short by a crash of the machine: nobody holds it. */
async function readHolder(file: string): Promise<Holder | null> {
  try {
    return JSON.parse(await fs.readFile(file, 'utf8')) as Holder; // Written by linkLock or writeReleased.
  } catch {
    return null;
  }
}

/** False when the number is taken. The link makes the file appear with its content. */
async function linkLock(folder: string, number: number, holder: Holder): Promise<boolean> {
  const draft = path.join(folder, `server.lock-draft-${crypto.randomUUID()}`);
  await fs.writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    await fs.link(draft, lockFile(folder, number));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await fs.rm(draft, { force: true });
  }
}

/** The number stays taken: removing the file would let it be linked again by a taker who looked long ago. */
async function writeReleased(file: string): Promise<void> {
  await fs.writeFile(file, JSON.stringify({ released: true } satisfies Holder));
}
