/** Which process of a running warehouse is which, asked of the machine at the time. */
import fs from 'node:fs';
import path from 'node:path';
import { readRuntime } from '../bench/baselines.ts';
import { listProcesses } from '../chaos/processes.ts';

export const victims = ['server', 'jvm', 'endpoint', 'host'] as const;
export type Victim = (typeof victims)[number];

/** Of the only warehouse, with the only principal, on the state folder. */
export function findVictim(stateDir: string, victim: Exclude<Victim, 'server'>): number {
  const processes = listProcesses(stateDir);
  const { spark } = readRuntime();
  const drivers = processes.filter(({ command }) => spark !== null && command.startsWith(spark.java));
  const attempts = path.join(stateDir, 'data', 'attempts');
  const found = {
    jvm: () => drivers.map(({ pid }) => pid),
    host: () => drivers.map(({ parentPid }) => parentPid),
    endpoint: () =>
      processes.filter(({ pid }) => workingFolder(pid).startsWith(attempts)).map(({ pid }) => pid),
  }[victim]();
  const [pid, ...others] = found;
  if (pid === undefined || others.length > 0)
    throw new Error(`${found.length} processes could be the ${victim}`);
  return pid;
}

function workingFolder(pid: number): string {
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // Gone between two looks.
  }
}
