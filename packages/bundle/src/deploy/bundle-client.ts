// The few routes that a deployment uses; the contract's client has them all.

import { ApiError, type Client } from '@headrace/api';

export type BundleClient = Pick<
  Client,
  | 'jobsCreate'
  | 'jobsGet'
  | 'jobsList'
  | 'jobsReset'
  | 'jobsDelete'
  | 'workspaceImport'
  | 'workspaceMkdirs'
  | 'workspaceDelete'
> & {
  workspaceExport(request: { path: string; format: 'AUTO' }): Promise<{ content: string }>;
};

/** Something a deployment asked about is not there: a file, a folder or a job. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  // For an unknown job clients expect 400 and a sentence (DECISIONS, "Errors").
  return (
    error.code === 'RESOURCE_DOES_NOT_EXIST' ||
    (error.code === 'INVALID_PARAMETER_VALUE' && error.message.includes('does not exist'))
  );
}

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
