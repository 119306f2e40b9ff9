/** Which processes run below a folder, by what Linux tells of them. Signals go by pid, and only to those. */
import fs from 'node:fs';

export interface SeenProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly command: string;
  /** The folder of the host that it belongs to; null for servers, workers and guards. */
  readonly hostFolder: string | null;
}

/** Dead ones that nobody has waited for are left out. */
export function listProcesses(folder: string): SeenProcess[] {
  return fs
    .readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid !== process.pid)
    .flatMap((pid) => {
      const seen = readProcess(pid);
      if (seen === null) return [];
      const { environment, ...rest } = seen;
      return `${rest.command}\0${environment}`.includes(folder) ? [rest] : [];
    });
}

export function childrenOf(parentPid: number): number[] {
  return fs
    .readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && readStat(pid)?.parentPid === parentPid);
}

/** False when it is gone. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // Gone between two looks.
  }
}

export function isRunning(pid: number): boolean {
  return readStat(pid) !== null;
}

function readProcess(pid: number): (SeenProcess & { readonly environment: string }) | null {
  const stat = readStat(pid);
  if (stat === null) return null;
  try {
    const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const environment = fs.readFileSync(`/proc/${pid}/environ`, 'utf8');
    const hostFolder = /(?:^|\0)HEADRACE_HOST_FOLDER=([^\0]*)/.exec(environment)?.[1] ?? null;
    return { pid, parentPid: stat.parentPid, command, hostFolder, environment };
  } catch {
    return null; // As above.
  }
}

function readStat(pid: number): { readonly parentPid: number } | null {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before the last bracket may itself hold brackets and blanks.
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? null : { parentPid: Number(parent) };
  } catch {
    return null; // As above.
  }
}
