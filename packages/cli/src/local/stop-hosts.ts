/**
 * Ends the hosts of a state folder: each is asked, then killed together with all that carries its mark. Their journals
 * stay, so that the next server learns what became of their attempts.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Clock } from '../cli-context.ts';
import { type ProcessProof, proveProcess, readCommandLine, sendSignal, waitForEnd } from './process-proof.ts';
import { readJson } from './server-file.ts';

/** A host gives its tasks 10 s to end. */
const hostStopMs = 15_000;
/** Killed processes are gone within milliseconds, unless the kernel holds them. */
const killWaitMs = 10_000;
/** In the environment of a host and of everything it starts. */
const hostMark = 'HEADRACE_HOST_FOLDER';

/** How many there were. */
export async function stopHosts(clock: Clock, stateDir: string): Promise<number> {
  const hosts = path.join(stateDir, 'hosts');
  const keys = await readdir(hosts).catch(() => []);
  const stopped = await Promise.all(keys.map((key) => stopHost(clock, path.join(hosts, key))));
  return stopped.filter(Boolean).length;
}

async function stopHost(clock: Clock, folder: string): Promise<boolean> {
  const host = await findHost(folder);
  if (host !== undefined) {
    sendSignal(host.pid, 'SIGTERM');
    await waitForEnd(host, clock, hostStopMs);
  }
  const left = await findMarked(folder);
  for (const { pid } of left) sendSignal(pid, 'SIGKILL');
  for (const proof of left) await waitForEnd(proof, clock, killWaitMs);
  return host !== undefined || left.length > 0;
}

/** In clock ticks since boot; null where the system does not tell. */
const HostFile = z.looseObject({ pid: z.int().positive(), start_time: z.int().nullable() });

async function findHost(folder: string): Promise<ProcessProof | undefined> {
  const file = HostFile.safeParse(await readJson(path.join(folder, 'host.json'))).data;
  if (file === undefined) return undefined;
  const proof = await proveProcess(file.pid);
  if (proof === undefined) return undefined;
  const isHost =
    file.start_time === null
      ? (await readCommandLine(file.pid)).includes(folder)
      : proof.startTime.endsWith(`/${file.start_time}`);
  return isHost ? proof : undefined;
}

/** Only Linux shows the environment of other processes; elsewhere the host has to end its own. */
async function findMarked(folder: string): Promise<readonly ProcessProof[]> {
  if (process.platform !== 'linux') return [];
  const mark = `\0${hostMark}=${folder}\0`;
  const pids = (await readdir('/proc')).map(Number).filter(Number.isSafeInteger);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // Processes of others, and those that have just ended, cannot be read.
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return `\0${environment}`.includes(mark) ? proveProcess(pid) : undefined;
    }),
  );
  return found.filter((proof) => proof !== undefined);
}
