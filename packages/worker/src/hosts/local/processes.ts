/** Proof of life and death: a process is known by its pid and start time, all of a host's by a mark in their environment. */
import fs from 'node:fs';

/** The same name as in headrace_runtime/processes.py. */
export const hostMark = 'HEADRACE_HOST_FOLDER';
/** Killed processes are gone within milliseconds, unless the kernel holds them. */
const killWaitMs = 10_000;
const killPollMs = 10;

export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since boot; null where the system does not tell. */
  readonly startTime: number | null;
}

/** Of a process that runs now. */
export function identifyProcess(pid: number): ProcessIdentity {
  return { pid, startTime: readStat(pid)?.startTime ?? null };
}

export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  if (!fs.existsSync('/proc/self/stat')) return acceptsSignals(pid);
  const stat = readStat(pid);
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X' && stat.startTime === startTime;
}

/** Stopped by a signal, as with SIGSTOP: it lives and does nothing. False where the system does not tell. */
export function isFrozen({ pid, startTime }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  return stat !== null && stat.state === 'T' && stat.startTime === startTime;
}

/** Ends all that a dead host left behind: user programs that changed session outlive it. */
export async function killMarked(hostFolder: string): Promise<void> {
  const deadline = performance.now() + killWaitMs;
  for (;;) {
    const pids = markedProcesses(hostFolder);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
    if (performance.now() > deadline)
      throw new Error(`processes ${pids.join(', ')} of ${hostFolder} cannot be killed`);
    await new Promise((resolve) => setTimeout(resolve, killPollMs));
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone, which is what was wanted.
  }
}

function markedProcesses(hostFolder: string): number[] {
  const mark = `\0${hostMark}=${hostFolder}\0`;
  return processIds().filter((pid) => {
    const state = readStat(pid)?.state;
    return (
      state !== undefined && state !== 'Z' && state !== 'X' && `\0${readEnvironment(pid)}`.includes(mark)
    );
  });
}

function processIds(): number[] {
  if (!fs.existsSync('/proc/self/stat')) return [];
  return fs.readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
}

function readStat(pid: number): { readonly state: string; readonly startTime: number } | null {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before the last bracket may itself hold brackets and blanks.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? 'X', startTime: Number(fields[19]) };
  } catch {
    return null;
  }
}

function readEnvironment(pid: number): string {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}

function acceptsSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
