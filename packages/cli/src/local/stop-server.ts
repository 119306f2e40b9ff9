/** Stops the server of a state folder and what it left running: hosts, then PostgreSQL. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { findServer, findStartingServer } from './find-server.ts';
import { isAlive, proveProcess, readCommandLine, sendSignal, waitForEnd } from './process-proof.ts';
import { stopHosts } from './stop-hosts.ts';

/** The server drains for HEADRACE_DRAIN_MS (15 s) and then stops PostgreSQL. */
const serverStopMs = 60_000;
const postgresStopMs = 30_000;

export interface Stopped {
  readonly server: boolean;
  readonly hosts: number;
  readonly postgres: boolean;
}

export async function stopServer(context: CliContext, stateDir: string): Promise<Stopped> {
  const server = (await findServer(stateDir)) ?? (await findStartingServer(stateDir));
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
  const hosts = await stopHosts(context.clock, stateDir);
  return { server: server !== undefined, hosts, postgres: await stopPostgres(context, stateDir) };
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
