/** Counts requests by caller in windows of one minute. Kept in memory: a limit against runaway clients, no quota. */
import { ApiError } from '@headrace/api';

const windowMs = 60_000;
/** Callers remembered at once; beyond it the window starts anew for all, which errs towards serving. */
const callersMax = 10_000;

export interface RateLimiter {
  /** Throws REQUEST_LIMIT_EXCEEDED when the caller has used up its window. */
  check(caller: string, nowMs: number): void;
}

/** Sent as the header Retry-After. */
export class RateLimitError extends ApiError {
  readonly retryAfterSeconds: number;
  constructor(limit: number, retryAfterSeconds: number) {
    super(
      'REQUEST_LIMIT_EXCEEDED',
      `more than ${limit} requests in a minute; next ones are taken in ${retryAfterSeconds} s`,
    );
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export function createRateLimiter(requestsPerMinute: number): RateLimiter {
  let windowEndsAtMs = 0;
  const counts = new Map<string, number>();
  return {
    check(caller, nowMs) {
      if (nowMs >= windowEndsAtMs || nowMs < windowEndsAtMs - windowMs || counts.size > callersMax) {
        counts.clear();
        windowEndsAtMs = nowMs + windowMs;
      }
      const count = (counts.get(caller) ?? 0) + 1;
      counts.set(caller, count);
      if (count <= requestsPerMinute) return;
      throw new RateLimitError(requestsPerMinute, Math.max(1, Math.ceil((windowEndsAtMs - nowMs) / 1000)));
    },
  };
}
