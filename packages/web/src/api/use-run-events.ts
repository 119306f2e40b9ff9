/** Follows a run while it lives: each event goes into the query cache; a broken stream is opened again. */
import { ApiError, type RunDocument } from '@headrace/api';
import { useEffect, useState } from 'react';
import { client, queryClient } from './client.ts';
import { mergeRunEvent } from './merge-run-event.ts';
import { queries } from './queries.ts';

const reconnectMs = 1_000;

export type LiveState = 'connecting' | 'live' | 'broken' | 'ended';

export function useRunEvents(runId: number, isLive: boolean): LiveState {
  const [state, setState] = useState<LiveState>('connecting');
  useEffect(() => {
    if (!isLive) return;
    const stop = new AbortController();
    follow(runId, stop.signal, setState).catch(() => undefined);
    return () => stop.abort();
  }, [runId, isLive]);
  return isLive ? state : 'ended';
}

async function follow(
  runId: number,
  signal: AbortSignal,
  setState: (state: LiveState) => void,
): Promise<void> {
  const { queryKey } = queries.run(runId);
  while (!signal.aborted) {
    try {
      for await (const event of client.runEvents({ run_id: runId }, { signal })) {
        setState('live');
        queryClient.setQueryData<RunDocument>(queryKey, (run) => run && mergeRunEvent(run, event));
        if (!event.ended) continue;
        // Times and the final message of the run come with the whole document.
        await queryClient.invalidateQueries({ queryKey });
        return setState('ended');
      }
    } catch (error) {
      // A server that drains says so, and another one follows; what it refuses it will refuse again.
      if (signal.aborted || (error instanceof ApiError && error.status < 500)) return;
    }
    setState('broken');
    await new Promise((resolve) => setTimeout(resolve, reconnectMs));
  }
}
