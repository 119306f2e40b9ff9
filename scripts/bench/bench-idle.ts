/** What Headrace costs while nothing runs: memory as the kernel divides it among those who share it, and CPU time. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type InstalledServer, withInstalledServer } from './installed-server.ts';
import { type ProcessCost, readProcessCost } from './process-cost.ts';
import { inMegabytes, printRow } from './statistics.ts';

/** What a start leaves to do afterwards (compiling, collecting, the spare host's imports) is not idleness. */
const settleMs = 10_000;
const watchMs = 10_000;

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
      printRow(`${what}, PSS`, inMegabytes(bytes), targets.memory);
      printRow(`${what}, CPU`, `${cpu.toFixed(1)} %`, targets.cpu);
    };
    const none = { memory: '', cpu: '' };
    row('idle server and worker', ['server'], none);
    row('idle PostgreSQL', ['postgres'], none);
    row('both', ['server', 'postgres'], { memory: 'target 250 MB', cpu: 'target 1 % of a core' });
    row('beside them: the spare host and its zygote', ['host'], none);
  });
}

function readCosts(server: InstalledServer, serverPid: number): Record<Part, ProcessCost> {
  const costs = {
    server: { bytes: 0, cpuMs: 0 },
    postgres: { bytes: 0, cpuMs: 0 },
    host: { bytes: 0, cpuMs: 0 },
  };
  for (const { pid, command } of server.findProcesses()) {
    const isHost = command.includes('headrace_runtime');
    const part = pid === serverPid ? 'server' : isHost ? 'host' : 'postgres';
    const cost = readProcessCost(pid);
    costs[part].bytes += cost?.bytes ?? 0;
    costs[part].cpuMs += cost?.cpuMs ?? 0;
  }
  return costs;
}
