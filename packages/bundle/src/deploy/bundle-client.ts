// The few routes that a deployment uses; the contract's client has them all.

import type { Client } from '@headrace/api';
import type { ReleaseClient } from './release.ts';

export type BundleClient = ReleaseClient &
  Pick<Client, 'bundlesGetVersion' | 'bundlesListVersions' | 'bundlesDestroy'> & {
    workspaceExport(request: { path: string; format: 'AUTO' }): Promise<{ content: string }>;
  };

/** Requests to the server at once: enough to hide its latency, few enough to leave it room for others. */
export const REQUESTS_AT_ONCE_MAX = 8;

export async function forEachBounded<T>(
  entries: readonly T[],
  work: (entry: T) => Promise<void>,
): Promise<void> {
  const pending = entries.values();
  const runners = Array.from({ length: Math.min(REQUESTS_AT_ONCE_MAX, entries.length) }, async () => {
    for (const entry of pending) await work(entry);
  });
  await Promise.all(runners);
}
