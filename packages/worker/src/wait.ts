const backOffMaxMs = 5_000;

/** Waiting between tries: 0.1 s, doubled up to 5 s; a lost database comes back within that and is not hammered. */
export function waitBackingOff(failures: number, signal: AbortSignal, maxMs = backOffMaxMs): Promise<void> {
  return waitMs(Math.min(maxMs, 100 * 2 ** Math.min(failures - 1, 10)), signal);
}

/** Resolves early when the signal aborts. */
export function waitMs(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

export function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
