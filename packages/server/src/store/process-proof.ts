/**
 * Which process a number means: a pid alone is reused, a pid with its start time is not (within one boot).
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessProof {
  readonly pid: number;
  /** As the system tells it; only ever compared for equality. */
  readonly startTime: string;
}

/** Null when there is no such process, or only its unreaped remains. */
export async function proveProcess(pid: number): Promise<ProcessProof | null> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  const startTime = process.platform === 'linux' ? await readLinuxStartTime(pid) : await readStartTime(pid);
  return startTime === null ? null : { pid, startTime };
}

export async function isAlive(proof: ProcessProof): Promise<boolean> {
  return (await proveProcess(proof.pid))?.startTime === proof.startTime;
}

async function readLinuxStartTime(pid: number): Promise<string | null> {
  const [stat, bootId] = await Promise.all([
    readOrNull(`/proc/${pid}/stat`),
    readOrNull('/proc/sys/kernel/random/boot_id'),
  ]);
  if (stat === null) return null;
  // The name, in parentheses, may hold spaces. After it: state is field 0, starttime field 19 (proc_pid_stat(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X' || startTicks === undefined) return null;
  return `${bootId?.trim() ?? ''}/${startTicks}`;
}

async function readStartTime(pid: number): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      env: { LC_ALL: 'C' },
    });
    const [state, ...started] = stdout.trim().split(/\s+/);
    return state === undefined || state.startsWith('Z') || started.length === 0 ? null : started.join(' ');
  } catch {
    return null; // ps exits with 1 when there is no such process.
  }
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch {
    return null; // Gone between two looks is the same as never there.
  }
}
