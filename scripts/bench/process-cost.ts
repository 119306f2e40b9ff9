/** Memory as the kernel divides it among those who share it, and CPU time. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** USER_HZ, which Linux fixes at 100 for everything it tells in /proc. */
const tickMs = 10;

export interface ProcessCost {
  readonly bytes: number;
  readonly cpuMs: number;
}

/** Null when it has ended since it was listed, as PostgreSQL's autovacuum workers do. */
export function readProcessCost(pid: number): ProcessCost | null {
  const rollup = readOrNull(`/proc/${pid}/smaps_rollup`);
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (rollup === null || stat === null) return null;
  const kilobytes = Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]);
  return { bytes: kilobytes * 1024, cpuMs: cpuMsOf(fieldsOf(stat)) };
}

/** What it shares with nobody: its share of the rest depends on who else runs. */
function readPrivateBytes(pid: number): number {
  const rollup = readOrNull(`/proc/${pid}/smaps_rollup`) ?? '';
  const kilobytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(([, size]) =>
    Number(size),
  );
  return kilobytes.reduce((sum, size) => sum + size, 0) * 1024;
}

/** What may grow in a process that forgets nothing. */
export interface Holdings {
  readonly bytes: number;
  readonly files: number;
  readonly threads: number;
  /** Sockets that wait for connections: each gateway of py4j is one. */
  readonly listeners: number;
}

export function readHoldings(pid: number): Holdings {
  return {
    bytes: readPrivateBytes(pid),
    files: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    listeners: countListeners(pid),
  };
}

function countListeners(pid: number): number {
  const listening = new Set<string>();
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n')) {
      // proc(5): the fourth field is the state, 0A listens; the tenth is the socket's number.
      const fields = line.trim().split(/\s+/);
      if (fields[3] === '0A') listening.add(`socket:[${fields[9]}]`);
    }
  }
  const names = readdirSync(`/proc/${pid}/fd`).map((name) => readLinkOrNone(`/proc/${pid}/fd/${name}`));
  return names.filter((name) => listening.has(name)).length;
}

function readLinkOrNone(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return ''; // closed since it was listed
  }
}

/** Of a process, its children, and those that it has reaped. */
export function readTreeCpuMs(pid: number): number {
  let cpuMs = 0;
  for (const name of readdirSync('/proc')) {
    const stat = Number.isInteger(Number(name)) ? readOrNull(`/proc/${name}/stat`) : null;
    if (stat === null) continue;
    const fields = fieldsOf(stat);
    if (Number(name) === pid || Number(fields[1]) === pid) cpuMs += cpuMsOf(fields);
  }
  return cpuMs;
}

/**
 * For how long the threads of a process have run or waited for a processor; zero where the kernel does not count it. On a
 * busy machine one that wants to work may get as little CPU time as one that rests.
 */
export function readDemandMs(pid: number): number {
  let demandNs = 0;
  for (const thread of listOrNone(`/proc/${pid}/task`)) {
    const [ranNs = 0, waitedNs = 0] = (readOrNull(`/proc/${pid}/task/${thread}/schedstat`) ?? '')
      .split(' ')
      .map(Number);
    demandNs += ranNs + waitedNs;
  }
  return demandNs / 1e6;
}

function listOrNone(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // it has ended
  }
}

/** proc(5), from the third on: the name before them, in brackets, may hold spaces. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/**
 * Fields 14 to 17 are its own time and that of children it has reaped, both in user and in kernel mode. With the
 * latter, no time is lost when a child ends between two looks.
 */
function cpuMsOf(fields: readonly string[]): number {
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * tickMs;
}

/** Of this process; where the kernel does not divide, what is resident. */
export function readMemoryBytes(): number {
  return readProcessCost(process.pid)?.bytes ?? process.memoryUsage().rss;
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}
