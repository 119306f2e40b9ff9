/** Reads PostgreSQL's own pid file: which process serves a cluster, on which port, and whether it is ready. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readCommandLine } from './command-line.ts';
import { isAlive, type ProcessProof, proveProcess } from './process-proof.ts';

export interface Postmaster extends ProcessProof {
  readonly port: number;
}

interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly status: 'starting' | 'ready' | 'stopping' | 'standby' | 'unknown';
}

const pollMs = 5;
/** Recovery after a crash of the machine replays at most `max_wal_size`; ten minutes is far beyond that. */
const readyDeadlineMs = 600_000;

/** The live process of this cluster, ready; null when there is none. One that is stopping is waited for. */
export async function findPostmaster(dataFolder: string): Promise<Postmaster | null> {
  const file = await readPidFile(dataFolder);
  if (!file) return null;
  const proof = await proveProcess(file.pid);
  if (!proof) return null;
  if (!(await servesCluster(file.pid, dataFolder))) {
    // The number is another program's by now; PostgreSQL itself might take it for a living postmaster.
    await fs.rm(path.join(dataFolder, 'postmaster.pid'), { force: true });
    return null;
  }
  if (file.status === 'stopping') {
    while (await isAlive(proof)) await delay(pollMs);
    return null;
  }
  const gone = (async () => {
    while (await isAlive(proof)) await delay(pollMs * 10);
    return null;
  })();
  return waitUntilReady(dataFolder, file.pid, gone);
}

/** Null as soon as `ended` resolves. */
export async function waitUntilReady(
  dataFolder: string,
  pid: number,
  ended: Promise<null>,
): Promise<Postmaster | null> {
  let over = false;
  const deadline = performance.now() + readyDeadlineMs;
  const ready = (async () => {
    while (!over && performance.now() < deadline) {
      const file = await readPidFile(dataFolder);
      if (file?.pid === pid && file.status === 'ready') {
        const proof = await proveProcess(pid);
        if (proof) return { ...proof, port: file.port };
      }
      await delay(pollMs);
    }
    return null;
  })();
  try {
    return await Promise.race([ready, ended]);
  } finally {
    over = true;
  }
}

/** Lines: pid, data folder, start time, port, socket folder, address, shared memory, status (PostgreSQL's pidfile.h). */
async function readPidFile(dataFolder: string): Promise<PidFile | null> {
  let text: string;
  try {
    text = await fs.readFile(path.join(dataFolder, 'postmaster.pid'), 'utf8');
  } catch {
    return null; // No file: nothing runs.
  }
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Math.abs(Number(lines[0])); // Negative for a single-user backend.
  const port = Number(lines[3]);
  if (!Number.isSafeInteger(pid) || pid === 0) return null;
  const status = (['starting', 'ready', 'stopping', 'standby'] as const).find((word) => word === lines[7]);
  return { pid, port, status: status ?? 'unknown' };
}

async function servesCluster(pid: number, dataFolder: string): Promise<boolean> {
  const command = await readCommandLine(pid);
  return command.includes('postgres') && command.includes(dataFolder);
}
