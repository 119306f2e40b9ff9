/** By what means tasks on this machine find /Volumes, /dbfs and /Workspace: what headrace_runtime/hosted_mounts.py does. */
import fs from 'node:fs/promises';
import path from 'node:path';

const folders = { '/Volumes': 'volumes', '/dbfs': 'dbfs', '/Workspace': 'workspace' } as const;
const capSysAdmin = 21n;

export interface HostedPathsFacts {
  /** Prefixes that lead to the data root for every program of the machine. */
  readonly linked: readonly string[];
  readonly mayMount: boolean;
  readonly dataRoot: string;
}

export async function readHostedPathsFacts(dataRoot: string): Promise<HostedPathsFacts> {
  const linked: string[] = [];
  for (const [prefix, folder] of Object.entries(folders)) {
    const [real, wanted] = await Promise.all([
      realpathOrNull(prefix),
      realpathOrNull(path.join(dataRoot, folder)),
    ]);
    if (real !== null && real === wanted) linked.push(prefix);
  }
  return { linked, mayMount: await mayMount(), dataRoot };
}

export function describeHostedPaths({ linked, mayMount, dataRoot }: HostedPathsFacts): string {
  const names = Object.keys(folders);
  if (linked.length === names.length)
    return `Paths: ${names.join(', ')} are links of this machine to the data root; every program finds them.`;
  const cure = Object.entries(folders)
    .filter(([prefix]) => !linked.includes(prefix))
    .map(([prefix, folder]) => `ln -s ${path.join(dataRoot, folder)} ${prefix}`)
    .join('; ');
  const way = mayMount
    ? 'each task has them mounted in a namespace of its own; not found by Python functions within Spark (UDFs) and containers that a task starts'
    : "Python's own functions rewrite names; not found by other programs that a task starts, C code that opens files itself (sqlite3, pyarrow's own file systems) and Python functions within Spark (UDFs)";
  return `Paths: /Volumes, /dbfs, /Workspace: ${way}. As root, once, for all: ${cure}`;
}

async function mayMount(): Promise<boolean> {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false;
  const status = await fs.readFile('/proc/self/status', 'utf8').catch(() => '');
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && ((BigInt(`0x${effective}`) >> capSysAdmin) & 1n) === 1n;
}

async function realpathOrNull(place: string): Promise<string | null> {
  return fs.realpath(place).catch(() => null);
}
