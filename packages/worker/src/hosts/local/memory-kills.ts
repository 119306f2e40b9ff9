/** Whether the kernel killed for lack of memory: what the death of a process alone does not tell. */
import fs from 'node:fs';

/** Processes that were killed for it since the machine started, containers included; null when the kernel does not say. */
export function countMemoryKills(file = '/proc/vmstat'): number | null {
  try {
    const found = /^oom_kill (\d+)$/m.exec(fs.readFileSync(file, 'latin1'));
    return found ? Number(found[1]) : null;
  } catch {
    return null;
  }
}

/** Null when that cannot be known. */
export function hasKilledSince(before: number | null, file?: string): boolean | null {
  const now = countMemoryKills(file);
  return before === null || now === null ? null : now > before;
}
