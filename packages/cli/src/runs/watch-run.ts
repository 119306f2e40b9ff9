/**
 * A run as it changes, until it has ended: from the live stream where the server has one, by asking again where it
 * does not. A server that is away for a while, because it restarts, is waited for.
 */
import { ApiError, type Client, type RunState, type RunTaskDocument, UnreachableError } from '@headrace/api';
import type { Clock } from '../cli-context.ts';
import { getWholeRun } from './get-whole.ts';
import { hasEnded } from './run-words.ts';

const pollMs = 1_000;
const reconnectMs = 500;
/** A server restarts in seconds; after a crash of its machine a person looks anyway. */
const awayMaxMs = 120_000;

export interface RunSnapshot {
  readonly state: RunState;
  /** The task runs that may have changed since the last snapshot. */
  readonly tasks: readonly RunTaskDocument[];
}

interface WatchOptions {
  readonly runId: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export async function* watchRun(
  client: Client,
  options: WatchOptions,
): AsyncGenerator<RunSnapshot, void, undefined> {
  const { clock, signal } = options;
  let hasStream = true;
  let awaySinceMs: number | undefined;
  while (!signal.aborted) {
    try {
      const source = hasStream ? streamRun(client, options) : pollRun(client, options);
      for await (const snapshot of source) {
        awaySinceMs = undefined;
        yield snapshot;
        if (hasEnded(snapshot.state)) return;
      }
      // The stream closed before the run ended: the server is stopping.
      await clock.sleep(reconnectMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.code === 'ENDPOINT_NOT_FOUND' && hasStream) hasStream = false;
      else {
        if (!isPassing(error)) throw error;
        awaySinceMs ??= clock.nowMs();
        if (clock.nowMs() - awaySinceMs > awayMaxMs) throw error;
        await clock.sleep(reconnectMs, signal);
      }
    }
  }
}

async function* streamRun(
  client: Client,
  { runId, signal }: WatchOptions,
): AsyncGenerator<RunSnapshot, void, undefined> {
  for await (const { state, tasks } of client.runEvents({ run_id: runId }, { signal }))
    yield { state, tasks };
}

async function* pollRun(
  client: Client,
  { runId, clock, signal }: WatchOptions,
): AsyncGenerator<RunSnapshot, void, undefined> {
  while (!signal.aborted) {
    const { state, tasks = [] } = await getWholeRun(client, runId);
    yield { state, tasks };
    await clock.sleep(pollMs, signal);
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  return (
    error instanceof ApiError && ['TEMPORARILY_UNAVAILABLE', 'REQUEST_LIMIT_EXCEEDED'].includes(error.code)
  );
}
