/** By what means hosts keep tasks to their limits, as the host says that started last (headrace_runtime/walls.py). */
import fs from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const HostFile = z.object({
  started_at_ms: z.number(),
  /** Hosts of earlier releases say neither, and use none. */
  control_groups: z.array(z.string()).default([]),
  control_groups_obstacle: z.string().nullable().default('the host is of an earlier release'),
});

export interface TaskLimitsFacts {
  readonly controllers: readonly string[];
  /** Why there are no control groups. */
  readonly obstacle: string | null;
}

/** Null while no host runs: each finds out when it starts. */
export async function readTaskLimitsFacts(hostsFolder: string): Promise<TaskLimitsFacts | null> {
  const names = await fs.readdir(hostsFolder).catch(() => []);
  const files = await Promise.all(names.map((name) => readHostFile(path.join(hostsFolder, name))));
  const [latest] = files
    .filter((file) => file !== null)
    .sort((one, other) => other.started_at_ms - one.started_at_ms);
  if (latest === undefined) return null;
  return { controllers: latest.control_groups, obstacle: latest.control_groups_obstacle };
}

export function describeTaskLimits(platform: NodeJS.Platform, facts: TaskLimitsFacts | null): string {
  if (platform !== 'linux')
    return 'Limits of tasks: processors are shared by nice levels (cpu_weight); memory and disk are watched on Linux only.';
  const memory = facts?.controllers.includes('memory') ?? false;
  const cpu = facts?.controllers.includes('cpu') ?? false;
  const ends = memory
    ? 'a control group of the kernel ends what takes more memory than it may, a watch what takes more disk'
    : 'a watch ends what takes more memory or disk than it may';
  const shares = `processors are shared by ${cpu ? 'weights of control groups' : 'nice levels'} (cpu_weight)`;
  return `Limits of tasks: ${ends}; ${shares}.${describeMissing(facts)}`;
}

function describeMissing(facts: TaskLimitsFacts | null): string {
  if (facts === null)
    return ' Whether control groups can be used is found out when a host starts: none runs.';
  if (facts.controllers.length > 0) return '';
  return ` Control groups are not used: ${facts.obstacle ?? 'the host gives no reason'}.`;
}

async function readHostFile(folder: string): Promise<z.output<typeof HostFile> | null> {
  try {
    return HostFile.parse(JSON.parse(await fs.readFile(path.join(folder, 'host.json'), 'utf8')));
  } catch {
    return null; // It has ended, or is not there yet.
  }
}
