/** Workers in words. Pure. */
import type { RunTaskDocument, ServerStatus } from '@headrace/api';
import { formatDuration } from './format.ts';

type AttemptWorker = NonNullable<NonNullable<RunTaskDocument['headrace']>['worker']>;

/** Workers that have not been heard of, by id: for how long. */
export type SilentWorkers = ReadonlyMap<string, number>;

export const noSilentWorkers: SilentWorkers = new Map();

export function findSilentWorkers(workers: ServerStatus['workers']): SilentWorkers {
  return new Map(
    workers
      .filter(({ state }) => state === 'silent')
      .map(({ worker_id, heard_ms_ago = 0 }) => [worker_id, heard_ms_ago]),
  );
}

/** `ash on rack-4`, `worker-1f (inside a server)`. */
export function workerText({ worker_id, hostname, is_local }: AttemptWorker): string {
  if (is_local) return `${worker_id} (inside a server)`;
  return hostname === null ? worker_id : `${worker_id} on ${hostname}`;
}

export function silenceText(heardMsAgo: number): string {
  return `not heard of for ${formatDuration(heardMsAgo)}`;
}
