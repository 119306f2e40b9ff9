/** What the owner of a task is told when the host that ran it is gone: what died, what follows, what to do. */
import fs from 'node:fs';
import path from 'node:path';

/** In the host's folder, with its process: what has ended it, the guard beside a worker or the worker itself. */
const endings = { guard: 'ended-by-guard', silence: 'ended-for-silence' } as const;

/** Right before. Nothing may keep the guard from its work, be it a full disk: then nobody is told why. */
export function noteEnding(folder: string, pid: number, ending: keyof typeof endings): void {
  try {
    fs.writeFileSync(path.join(folder, endings[ending]), String(pid));
  } catch {
    // See above.
  }
}

function wasEndedBy(folder: string, pid: number, ending: keyof typeof endings): boolean {
  try {
    return fs.readFileSync(path.join(folder, endings[ending]), 'utf8') === String(pid);
  } catch {
    return false; // The rule: there is none.
  }
}

export interface HostDeathFacts {
  readonly folder: string;
  readonly wasMemory: boolean | null;
}

export function describeHostDeath(pid: number, { folder, wasMemory }: HostDeathFacts): string {
  if (wasEndedBy(folder, pid, 'silence'))
    return `The process that runs the tasks of this cluster (the host, process ${pid}) lived and answered nothing, so its worker ended it, and the task with it. A retry, or a repair of the run, begins on a new host; what the task had written stays.`;
  if (wasEndedBy(folder, pid, 'guard'))
    return `The worker was dead, frozen or stuck for so long that its lease was about to end. So the guard beside it ended the process that runs the tasks of this cluster (the host, process ${pid}), and the task with it. A retry, or a repair of the run, begins on a new host; what the task had written stays.`;
  return [
    `The process that runs the tasks of this cluster (the host, process ${pid}) was killed or has crashed, and the task ended with it.`,
    ...(wasMemory
      ? [
          'The kernel killed for lack of memory at that time: run fewer tasks at once, or use a larger machine.',
        ]
      : []),
    `A retry, or a repair of the run, begins on a new host; what the task had written stays. ${path.join(folder, 'host.log')} may tell more.`,
  ].join(' ');
}

export function describeHostEnded(pid: number, reason: string): string {
  return `The worker came back and could not lead the process that runs the tasks of this cluster (the host, process ${pid}): ${reason}. It was ended, and the task with it. A retry, or a repair of the run, begins on a new host.`;
}
