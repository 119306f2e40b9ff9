// Holds the lock of a deployment while something is done, and says all the while that it lives. Whoever takes it over ends
// the work: from then on the server refuses what it sends.

import { ApiError, type Client } from '@headrace/api';

export type LockClient = Pick<Client, 'bundlesLock' | 'bundlesRenewLock' | 'bundlesUnlock'>;

export interface LockOptions {
  /** Takes it from whoever holds it. */
  readonly forceLock?: boolean;
  /** Who asks, for those that wait. */
  readonly machine?: string;
  readonly command?: string;
  /** Gives the lock back after a Ctrl-C has ended every call of the other client. */
  readonly lastClient?: LockClient;
}

export interface HeldLock {
  readonly deploymentId: number;
  readonly fence: number;
  readonly currentVersion: number;
  /** Throws when somebody else has it by now. */
  check(): void;
}

interface Place {
  readonly statePath: string;
  readonly target: string;
  readonly bundle: string;
}

/** Of the time after which a holder that says nothing loses it. */
const BEATS = 5;

export async function withLock<T>(
  client: LockClient,
  { statePath, target, bundle }: Place,
  options: LockOptions,
  work: (lock: HeldLock) => Promise<T>,
): Promise<T> {
  const taken = await client.bundlesLock({
    ...{ state_path: statePath, target, bundle, request_id: crypto.randomUUID() },
    ...{ force: options.forceLock ?? false, machine: options.machine ?? '', command: options.command ?? '' },
  });
  const under = { deployment_id: taken.deployment_id, fence: taken.fence };
  let lost: ApiError | null = null;
  const beat = setInterval(() => {
    client.bundlesRenewLock(under).catch((error: unknown) => {
      // A server that is away for a moment says nothing about the lock.
      if (error instanceof ApiError && error.code === 'RESOURCE_CONFLICT') lost = error;
    });
  }, taken.silence_ms_max / BEATS);
  try {
    return await work({
      ...{ deploymentId: taken.deployment_id, fence: taken.fence, currentVersion: taken.current_version },
      check: () => {
        if (lost !== null) throw lost;
      },
    });
  } finally {
    clearInterval(beat);
    // One that is not given back is lost by itself before long.
    await (options.lastClient ?? client).bundlesUnlock(under).catch(() => undefined);
  }
}
