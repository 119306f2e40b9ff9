/** The server of a state folder, proven to be the process that it says it is. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CommandError, exitCodes } from '../command-error.ts';
import { isAlive, listProcesses, type ProcessProof, proveProcess, readCommandLine } from './process-proof.ts';
import { readJson, readServerFile, type ServerFile } from './server-file.ts';

const LockHolder = z.object({
  pid: z.int().positive(),
  startTime: z.string(),
  /** Where the lock was taken; older servers do not tell. */
  folder: z.object({ path: z.string(), id: z.string() }).optional(),
});
type LockHolder = z.output<typeof LockHolder>;

export interface LocalServer extends ProcessProof {
  /** Undefined while it starts. */
  readonly file: ServerFile | undefined;
}

/**
 * Undefined when none runs, whatever files an earlier one left behind. Throws where the folder is a copy of that of a
 * server that runs: nothing of what its files name is its own.
 */
export async function findServer(stateDir: string): Promise<LocalServer | undefined> {
  const [holder, file] = await Promise.all([readLockHolder(stateDir), readServerFile(stateDir)]);
  if (holder !== undefined) {
    if (!(await isAlive(holder))) return undefined;
    await refuseCopy(stateDir, holder);
    return { ...holder, file: file?.pid === holder.pid ? file : undefined };
  }
  if (file === undefined) return undefined;
  const proof = await proveProcess(file.pid);
  if (proof === undefined || !isServerCommand(await readCommandLine(file.pid))) return undefined;
  return { ...proof, file };
}

async function refuseCopy(stateDir: string, { pid, folder }: LockHolder): Promise<void> {
  const { dev, ino } = await stat(stateDir);
  if (folder === undefined || folder.id === `${dev}:${ino}`) return;
  throw new CommandError(`${stateDir} is a copy of ${folder.path}, where a server runs: process ${pid}`, {
    exitCode: exitCodes.failed,
    cure: 'use the folder of that server; `headrace backup` and `headrace restore` copy one that runs',
  });
}

/** One that has not locked the folder yet: Node loads it first. Looks at all processes, so only for who must know. */
export async function findStartingServer(stateDir: string): Promise<ProcessProof | undefined> {
  const starting = (await listProcesses()).find(({ commandLine }) => {
    return isServerCommand(commandLine) && commandLine.endsWith(` --state-dir ${stateDir}`);
  });
  return starting === undefined ? undefined : proveProcess(starting.pid);
}

/** The server locks its folder with `server.lock.<n>`; the highest n holds. */
async function readLockHolder(stateDir: string): Promise<LockHolder | undefined> {
  const names = await readdir(stateDir).catch(() => []);
  const numbers = names.map((name) => Number(/^server\.lock\.(\d+)$/.exec(name)?.[1] ?? 0));
  const highest = Math.max(0, ...numbers);
  if (highest === 0) return undefined;
  return LockHolder.safeParse(await readJson(path.join(stateDir, `server.lock.${highest}`))).data;
}

function isServerCommand(commandLine: string): boolean {
  return /server\/(src\/main\.ts|dist\/main\.js)/.test(commandLine);
}
