/** What Headrace costs while nothing runs: memory as the kernel divides it among those who share it, and CPU time. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type InstalledServer, withInstalledServer } from './installed-server.ts';
import { printRow } from './statistics.ts';

/** What a start leaves to do afterwards (compiling, collecting, the spare host's imports) is not idleness. */
const settleMs = 10_000;
const watchMs = 10_000;
/** USER_HZ, which Linux fixes at 100 for everything it tells in /proc. */
const tickMs = 10;
const bytesPerMegabyte = 1_000_000;

type Part = 'server' | 'postgres' | 'host';

export async function benchIdle(): Promise<void> {
  if (process.platform !== 'linux') return console.log('skipped: needs the /proc of Linux');
  await withInstalledServer(async (server) => {
    await server.up();
    await delay(settleMs);
    const file = await readFile(path.join(server.stateDir, 'server.json'), 'utf8');
    const serverPid = (JSON.parse(file) as { pid: number }).pid;
    const before = readCosts(server, serverPid);
    await delay(watchMs);
    const after = readCosts(server, serverPid);

    const share = (part: Part) => ((after[part].cpuMs - before[part].cpuMs) / watchMs) * 100;
    const row = (what: string, parts: readonly Part[], targets: { memory: string; cpu: string }) => {
      const bytes = parts.reduce((sum, part) => sum + after[part].bytes, 0);
      const cpu = parts.reduce((sum, part) => sum + share(part), 0);
      printRow(`${what}, PSS`, `${(bytes / bytesPerMegabyte).toFixed(0)} MB`, targets.memory);
      printRow(`${what}, CPU`, `${cpu.toFixed(1)} %`, targets.cpu);
    };
    const none = { memory: '', cpu: '' };
    row('idle server and worker', ['server'], none);
    row('idle PostgreSQL', ['postgres'], none);
    row('both', ['server', 'postgres'], { memory: 'target 250 MB', cpu: 'target 1 % of a core' });
    row('beside them: the spare host and its zygote', ['host'], none);
  });
}

interface Cost {
  bytes: number;
  cpuMs: number;
}

function readCosts(server: InstalledServer, serverPid: number): Record<Part, Cost> {
  const costs = {
    server: { bytes: 0, cpuMs: 0 },
    postgres: { bytes: 0, cpuMs: 0 },
    host: { bytes: 0, cpuMs: 0 },
  };
  for (const { pid, command } of server.findProcesses()) {
    const isHost = command.includes('headrace_runtime');
    const part = pid === serverPid ? 'server' : isHost ? 'host' : 'postgres';
    const cost = readCost(pid);
    costs[part].bytes += cost?.bytes ?? 0;
    costs[part].cpuMs += cost?.cpuMs ?? 0;
  }
  return costs;
}

/** Null when it has ended since it was listed, as PostgreSQL's autovacuum workers do. */
function readCost(pid: number): Cost | null {
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

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
}
