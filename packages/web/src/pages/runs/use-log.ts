/** Reads the end of a log, or its start when asked, and follows it until the task has ended. */
import { ApiError } from '@headrace/api';
import { useEffect, useState } from 'react';
import { client } from '../../api/client.ts';
import { isPassing } from '../../ui/outage.ts';
import { appendChunk, chunkBytes, emptyWindow, firstOffset, type LogWindow } from './log-window.ts';

const followMs = 1_000;

/** A server that drains or restarts is back before that many tries have failed. */
const passingFailuresMax = 5;

export interface LogError {
  readonly message: string;
  /** The server is away, which the page says anyway. */
  readonly isPassing: boolean;
}

export interface FollowedLog {
  /** Null until the first part of it has come. */
  readonly window: LogWindow | null;
  readonly error: LogError | null;
  showFrom(offset: number): void;
}

export function useLog(runId: number, taskRunId: number): FollowedLog {
  const [window, setWindow] = useState<LogWindow | null>(null);
  const [error, setError] = useState<LogError | null>(null);
  const [from, setFrom] = useState<number | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    let failures = 0;
    const show = (next: LogWindow) => {
      failures = 0;
      setWindow(next);
      setError(null);
    };
    const keepTrying = async () => {
      while (!stop.signal.aborted) {
        try {
          return await follow({ runId, taskRunId, from, signal: stop.signal, show });
        } catch (reason) {
          if (stop.signal.aborted) return;
          failures += 1;
          const message = reason instanceof Error ? reason.message : String(reason);
          if (!isPassing(reason) || failures > passingFailuresMax)
            setError({ message, isPassing: isPassing(reason) });
          // A server that drains says so, and another one follows; what it refuses it will refuse again.
          if (reason instanceof ApiError && reason.status < 500) return;
        }
        await pause();
      }
    };
    void keepTrying();
    return () => stop.abort();
  }, [runId, taskRunId, from]);
  return { window, error, showFrom: setFrom };
}

async function follow(options: {
  readonly runId: number;
  readonly taskRunId: number;
  readonly from: number | null;
  readonly signal: AbortSignal;
  readonly show: (window: LogWindow) => void;
}): Promise<void> {
  const { runId, taskRunId, from, signal, show } = options;
  const read = (offset: number, limit: number) =>
    client.taskLog({ run_id: runId, task_run_id: taskRunId, offset, limit }, { signal });
  const start = from ?? firstOffset((await read(0, 1)).size);
  let window: LogWindow = { ...emptyWindow, endOffset: start };
  while (!signal.aborted) {
    const chunk = await read(window.endOffset, chunkBytes);
    window = appendChunk(window, chunk);
    show(window);
    const isAtEnd = chunk.next_offset >= chunk.size;
    // An earlier part stays as it is: the reader asked for it.
    if (isAtEnd ? window.isEnded : from !== null) return;
    if (isAtEnd) await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, followMs));
}
