/** Watching and stopping a postmaster that may or may not be our child. */
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, type ProcessProof } from './process-proof.ts';

/** An adopted postmaster is nobody's child that we could wait for: we look. One read of /proc each time. */
const watchEveryMs = 500;
const fastStopMs = 20_000;
const immediateStopMs = 10_000;

/** Resolves when the process is gone or the signal aborts. */
export async function watchExit(postmaster: ProcessProof, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await isAlive(postmaster))) await waitForExit(watchEveryMs, signal);
}

/** Waits, but not beyond the abort. */
export async function waitForExit(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => {});
}

/** "Fast" ends all sessions and writes a checkpoint; "immediate", should that hang, leaves recovery to the next start. */
export async function stopPostmaster(postmaster: ProcessProof): Promise<void> {
  if (await signalAndWait(postmaster, 'SIGINT', fastStopMs)) return;
  if (await signalAndWait(postmaster, 'SIGQUIT', immediateStopMs)) return;
  throw new Error(`PostgreSQL (process ${postmaster.pid}) does not stop`);
}

async function signalAndWait(
  postmaster: ProcessProof,
  signal: NodeJS.Signals,
  waitMs: number,
): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  if (!(await isAlive(postmaster))) return true;
  process.kill(postmaster.pid, signal);
  while (performance.now() < deadline) {
    if (!(await isAlive(postmaster))) return true;
    await delay(5);
  }
  return false;
}
