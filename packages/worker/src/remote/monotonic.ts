/**
 * Milliseconds since this machine started: a clock that never steps, that all its processes share, and that went on
 * while the machine slept. Node's own clocks stand still then, and a lease would seem to hold that ended long ago.
 */
import fs from 'node:fs';

const uptimeFile = '/proc/uptime';
const hasUptime = fs.existsSync(uptimeFile);

export function monotonicMs(): number {
  if (!hasUptime) return Number(process.hrtime.bigint() / 1_000n) / 1_000;
  // Seconds with two decimals, and then the idle time.
  return Number.parseFloat(fs.readFileSync(uptimeFile, 'latin1')) * 1000;
}
