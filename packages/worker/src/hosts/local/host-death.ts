/** What the owner of a task is told when the host that ran it is gone: what died, what follows, what to do. Pure. */
import path from 'node:path';

export function describeHostDeath(
  pid: number,
  { folder, wasMemory }: { readonly folder: string; readonly wasMemory: boolean | null },
): string {
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
