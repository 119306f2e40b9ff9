// Sends a request again whose answer was lost. Only for requests that are done once however often they are sent.

import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, UnreachableError } from '@headrace/api';

/** A server that starts again is back within this time. */
const PATIENCE_MS = 30_000;
const AGAIN_AFTER_MS = 500;

export async function insist<T>(request: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await request();
    } catch (error) {
      if (!isPassing(error) || performance.now() > deadline) throw error;
      await delay(AGAIN_AFTER_MS);
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.code === 'TEMPORARILY_UNAVAILABLE';
  // A Ctrl-C aborts calls too, as an error of another kind.
  return error instanceof UnreachableError;
}
