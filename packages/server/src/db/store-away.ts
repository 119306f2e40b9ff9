/** Whether an error means that the database is away for a while, and waiting for it when a server starts. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StartError } from '../start-error.ts';
import { type Database, sqlState } from './connect.ts';

/** A batch of runs that could not be saved carries the reason as its cause, and that may have one again. */
const causesMax = 5;

/** The database cannot be reached, is starting, stopping or full, or does not answer: the same request may do later. */
export function isStoreAway(thrown: unknown): boolean {
  let error = thrown;
  for (let depth = 0; depth <= causesMax && error instanceof Error; depth += 1, error = error.cause) {
    if (isAwayItself(error)) return true;
  }
  return false;
}

/**
 * Classes 08 (connection), 53 (out of connections, disk or memory), 57P (starting, stopping, ended by an administrator)
 * and 58 (its files); a statement that took too long (57014); a standby (25006).
 */
const awayStates = /^(?:08|53|57P|58|57014$|25006$)/;
const awayCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  // Said to a connection that broke a moment ago.
  'ECONNABORTED',
  'ENOTCONN',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
];
/** The driver gives these no code. */
const awayWordings =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|the server is stopping$)/;

function isAwayItself(error: Error): boolean {
  const state = sqlState(error);
  if (state !== null) return awayStates.test(state);
  const { code = '' } = error as { code?: string };
  return awayWordings.test(error.message) || awayCodes.includes(code);
}

const waitDefaultMs = 60_000;
const backOffMaxMs = 2_000;

/**
 * Resolves when the database answers. One that starts beside this server, or is being recovered, is waited for; what
 * does not pass by itself (a wrong password, an unknown database) fails at once. Rejects with a StartError, and at once when it
 * is told to stop.
 */
export async function awaitStore(
  db: Database,
  options: { readonly log: Logger; readonly waitMs?: number; readonly signal?: AbortSignal },
): Promise<void> {
  const { log, waitMs = waitDefaultMs, signal = new AbortController().signal } = options;
  const stopped = waitForAbort(signal);
  const deadline = performance.now() + waitMs;
  for (let pauseMs = 100; ; pauseMs = Math.min(backOffMaxMs, 2 * pauseMs)) {
    try {
      // A connection that is not answered may hang for long.
      await Promise.race([db.pool.query('select 1'), stopped]);
      return;
    } catch (error) {
      if (signal.aborted)
        throw new StartError('it was told to stop before PostgreSQL answered', { cause: error });
      const reason =
        error instanceof Error ? error.message || String((error as { code?: string }).code) : String(error);
      if (!isStoreAway(error) || performance.now() + pauseMs > deadline) {
        throw new StartError(`PostgreSQL cannot be used: ${reason}; HEADRACE_DATABASE_URL says where it is`, {
          cause: error,
        });
      }
      log.warn({ reason }, 'PostgreSQL is away; waiting for it');
    }
    // When it is told to stop, the next look ends at once.
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

function waitForAbort(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    const give = () => reject(new Error('stopped'));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
  // Nobody may be waiting any more.
  aborted.catch(() => undefined);
  return aborted;
}
