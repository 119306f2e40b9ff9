/** When the next attempt may start; null when the policy has none left. */
import type { RetryPolicy } from '../run/state.ts';

/**
 * @param failedAttempt 0 for the first attempt.
 * @param startedAtMs   start of the failed attempt: intervals count from there, not from its end.
 */
export function retryDueAtMs(
  policy: RetryPolicy,
  failed: { readonly attempt: number; readonly startedAtMs: number; readonly timedOut: boolean },
): number | null {
  if (failed.timedOut && !policy.onTimeout) return null;
  if (policy.retriesMax !== -1 && failed.attempt >= policy.retriesMax) return null;
  return failed.startedAtMs + intervalMs(policy, failed.attempt);
}

/** 5 s to 60 s gives 5, 10, 20, 40, 60, 60 … */
function intervalMs(policy: RetryPolicy, attempt: number): number {
  if (policy.intervalMaxMs === null) return policy.intervalMinMs;
  // Beyond 2^30 doublings make no difference that fits a number of milliseconds.
  return Math.min(policy.intervalMinMs * 2 ** Math.min(attempt, 30), policy.intervalMaxMs);
}
