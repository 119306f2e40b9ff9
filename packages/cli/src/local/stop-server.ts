/** Stops the server of a state folder and what it left running: hosts, then PostgreSQL. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { CliContext } from '../cli-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { findServer } from './find-server.ts';
import {
  isAlive,
  type ProcessProof,
  proveProcess,
  readCommandLine,
  sendSignal,
  waitForEnd,
} from './process-proof.ts';
import { readJson } from './server-file.ts';

/** The server drains for HEADRACE_DRAIN_MS (15 s) and then stops PostgreSQL. */
const serverStopMs = 60_000;
/** A host ends its tasks with a grace of its own before it goes. */
const hostStopMs = 15_000;
const postgresStopMs = 30_000;

export interface Stopped {
  readonly server: boolean;
  readonly hosts: number;
  readonly postgres: boolean;
}

export async function stopServer(context: CliContext, stateDir: string): Promise<Stopped> {
  const server = await findServer(stateDir);
  if (server !== undefined) {
    sendSignal(server.pid, 'SIGTERM');
    if (!(await waitForEnd(server, context.clock, serverStopMs))) {
      throw new CommandError(
        `the server, process ${server.pid}, did not stop within ${serverStopMs / 1_000} s`,
        {
          exitCode: exitCodes.failed,
          cure: `see ${path.join(stateDir, 'server.log')}; \`kill -9 ${server.pid}\` ends it, and \`headrace down\` then tidies up`,
        },
      );
    }
  }
  const hosts = await stopHosts(context, stateDir);
  return { server: server !== undefined, hosts, postgres: await stopPostgres(context, stateDir) };
}

/** What a host says of itself; its start time is written as ours, or not at all. */
const HostFile = z.looseObject({
  pid: z.int().positive(),
  startTime: z.string().optional(),
  start_time: z.string().optional(),
});

async function stopHosts(context: CliContext, stateDir: string): Promise<number> {
  const folder = path.join(stateDir, 'hosts');
  const keys = await readdir(folder).catch(() => []);
  const stopped = await Promise.all(
    keys.map(async (key) => {
      const host = await findHost(path.join(folder, key));
      if (host === undefined) return false;
      sendSignal(host.pid, 'SIGTERM');
      if (!(await waitForEnd(host, context.clock, hostStopMs))) {
        sendSignal(host.pid, 'SIGKILL');
        await waitForEnd(host, context.clock, hostStopMs);
      }
      return true;
    }),
  );
  return stopped.filter(Boolean).length;
}

async function findHost(folder: string): Promise<ProcessProof | undefined> {
  const file = HostFile.safeParse(await readJson(path.join(folder, 'host.json'))).data;
  if (file === undefined) return undefined;
  const proof = await proveProcess(file.pid);
  if (proof === undefined) return undefined;
  const recorded = file.startTime ?? file.start_time;
  // Both prove the same process; which one there is depends on who wrote the file.
  const isHost = recorded === proof.startTime || (await readCommandLine(file.pid)).includes(folder);
  return isHost ? proof : undefined;
}

/** After `kill -9` of the server its PostgreSQL still runs; SIGINT asks it for its fast shutdown. */
async function stopPostgres(context: CliContext, stateDir: string): Promise<boolean> {
  const dataFolder = path.join(stateDir, 'postgres', 'data');
  const pid = Number(
    (await readFile(path.join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0],
  );
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  const proof = await proveProcess(pid);
  if (proof === undefined || !(await readCommandLine(pid)).includes(dataFolder)) return false;
  sendSignal(pid, 'SIGINT');
  await waitForEnd(proof, context.clock, postgresStopMs);
  return !(await isAlive(proof));
}
