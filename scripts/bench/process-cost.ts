/** Memory as the kernel divides it among those who share it, and CPU time. */
import { readFileSync } from 'node:fs';

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
  // proc(5): the name, in brackets, may hold spaces; fields 14 to 17 are its own time and that of children it has
  // reaped, both in user and in kernel mode. With the latter, no time is lost when a child ends between two looks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { bytes: kilobytes * 1024, cpuMs: ticks * tickMs };
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
