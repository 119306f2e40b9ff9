/**
 * Which process a number means. A pid alone is reused; with its start time it is not, within one boot. Written like
 * the server's and the worker's proofs, so that theirs can be checked here.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Clock } from '../cli-context.ts';

const run = promisify(execFile);

export interface ProcessProof {
  readonly pid: number;
  readonly startTime: string;
}

/** Undefined when there is no such process, or only its unreaped remains. */
export async function proveProcess(pid: number): Promise<ProcessProof | undefined> {
  const startTime = process.platform === 'linux' ? await readLinuxStartTime(pid) : await askStartTime(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

export async function isAlive(proof: ProcessProof): Promise<boolean> {
  return (await proveProcess(proof.pid))?.startTime === proof.startTime;
}

/** How a process was called, its parts joined by spaces; empty when there is no such process. */
export async function readCommandLine(pid: number): Promise<string> {
  if (process.platform === 'linux')
    return ((await readText(`/proc/${pid}/cmdline`)) ?? '').replaceAll('\0', ' ').trimEnd();
  return (await ask(['-o', 'command=', '-p', String(pid)])) ?? '';
}

/** Of this machine, as far as its system tells. */
export async function listProcesses(): Promise<readonly { pid: number; commandLine: string }[]> {
  if (process.platform === 'linux') {
    const pids = (await readdir('/proc')).map(Number).filter(Number.isSafeInteger);
    return Promise.all(pids.map(async (pid) => ({ pid, commandLine: await readCommandLine(pid) })));
  }
  const lines = ((await ask(['-A', '-o', 'pid=,command='])) ?? '').split('\n');
  return lines.map((line) => {
    const [, pid, commandLine = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), commandLine };
  });
}

/** True once the process is gone; false when it still lives at the deadline. */
export async function waitForEnd(proof: ProcessProof, clock: Clock, timeoutMs: number): Promise<boolean> {
  const deadlineMs = clock.nowMs() + timeoutMs;
  while (await isAlive(proof)) {
    if (clock.nowMs() >= deadlineMs) return false;
    await clock.sleep(20);
  }
  return true;
}

/** A process that has just ended needs no signal. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) {
      throw new Error(`cannot send ${signal} to process ${pid}`, { cause: error });
    }
  }
}

async function readLinuxStartTime(pid: number): Promise<string | undefined> {
  const [stat, bootId] = await Promise.all([
    readText(`/proc/${pid}/stat`),
    readText('/proc/sys/kernel/random/boot_id'),
  ]);
  if (stat === undefined) return undefined;
  // The name, in parentheses, may hold spaces. After it: state is field 0, starttime field 19 (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
  return `${bootId?.trim() ?? ''}/${startTicks}`;
}

async function askStartTime(pid: number): Promise<string | undefined> {
  const [state, ...started] = ((await ask(['-o', 'state=,lstart=', '-p', String(pid)])) ?? '').split(/\s+/);
  return state === undefined || state.startsWith('Z') || started.length === 0 ? undefined : started.join(' ');
}

async function ask(args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run('ps', args, { env: { LC_ALL: 'C' } })).stdout.trim();
  } catch {
    return undefined; // ps exits with 1 when there is no such process.
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined; // Gone between two looks is the same as never there.
  }
}
