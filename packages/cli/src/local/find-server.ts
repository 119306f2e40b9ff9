/** The server of a state folder, proven to be the process that it says it is. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { isAlive, listProcesses, type ProcessProof, proveProcess, readCommandLine } from './process-proof.ts';
import { readJson, readServerFile, type ServerFile } from './server-file.ts';

const LockHolder = z.object({ pid: z.int().positive(), startTime: z.string() });

export interface LocalServer extends ProcessProof {
  /** Undefined while it starts. */
  readonly file: ServerFile | undefined;
}

/** Undefined when none runs, whatever files an earlier one left behind. */
export async function findServer(stateDir: string): Promise<LocalServer | undefined> {
  const [holder, file] = await Promise.all([readLockHolder(stateDir), readServerFile(stateDir)]);
  if (holder !== undefined) {
    if (!(await isAlive(holder))) return undefined;
    return { ...holder, file: file?.pid === holder.pid ? file : undefined };
  }
  if (file === undefined) return undefined;
  const proof = await proveProcess(file.pid);
  if (proof === undefined || !isServerCommand(await readCommandLine(file.pid))) return undefined;
  return { ...proof, file };
}

/** One that has not locked the folder yet: Node loads it first. Looks at all processes, so only for who must know. */
export async function findStartingServer(stateDir: string): Promise<ProcessProof | undefined> {
  const starting = (await listProcesses()).find(({ commandLine }) => {
    return isServerCommand(commandLine) && commandLine.endsWith(` --state-dir ${stateDir}`);
  });
  return starting === undefined ? undefined : proveProcess(starting.pid);
}

/** The server locks its folder with `server.lock.<n>`; the highest n holds. */
async function readLockHolder(stateDir: string): Promise<ProcessProof | undefined> {
  const names = await readdir(stateDir).catch(() => []);
  const numbers = names.map((name) => Number(/^server\.lock\.(\d+)$/.exec(name)?.[1] ?? 0));
  const highest = Math.max(0, ...numbers);
  if (highest === 0) return undefined;
  return LockHolder.safeParse(await readJson(path.join(stateDir, `server.lock.${highest}`))).data;
}

function isServerCommand(commandLine: string): boolean {
  return /server\/(src\/main\.ts|dist\/main\.js)/.test(commandLine);
}
