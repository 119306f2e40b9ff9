/** Follows a run while it lives: each event goes into the query cache; a broken stream is opened again. */
import { ApiError, type RunDocument } from '@headrace/api';
import { useEffect, useState } from 'react';
import { client, queryClient } from './client.ts';
import { mergeRunEvent } from './merge-run-event.ts';
import { queries } from './queries.ts';

const reconnectMs = 1_000;
/** A server that restarts breaks a stream, too: one that cannot be opened again is told of. */
const failuresTold = 4;

/** Since when a run that goes on cannot be followed; null while it can, or has ended. */
export type BrokenSince = number | null;

export function useRunEvents(
  runId: number,
  { isLive, isAway }: { readonly isLive: boolean; readonly isAway: boolean },
): BrokenSince {
  const [brokenSince, setBrokenSince] = useState<BrokenSince>(null);
  // Opened anew when the server is back: a stream that stood still meanwhile may have missed what happened.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    setBrokenSince(null);
    if (!isLive) return;
    const stop = new AbortController();
    follow(runId, stop.signal, setBrokenSince).catch(() => undefined);
    return () => stop.abort();
  }, [runId, isLive, isAway]);
  return brokenSince;
}

async function follow(
  runId: number,
  signal: AbortSignal,
  setBrokenSince: (since: BrokenSince) => void,
): Promise<void> {
  const { queryKey } = queries.run(runId);
  let failures = 0;
  let failedAtMs = 0;
  while (!signal.aborted) {
    try {
      for await (const event of client.runEvents({ run_id: runId }, { signal })) {
        if (failures > 0) askReady();
        failures = 0;
        setBrokenSince(null);
        queryClient.setQueryData<RunDocument>(queryKey, (run) => run && mergeRunEvent(run, event));
        if (!event.ended) continue;
        // Times and the final message of the run come with the whole document.
        await queryClient.invalidateQueries({ queryKey });
        return;
      }
    } catch (error) {
      // A server that drains says so, and another one follows; what it refuses it will refuse again.
      if (signal.aborted || (error instanceof ApiError && error.status < 500)) return;
    }
    if (signal.aborted) return;
    askReady();
    failures += 1;
    if (failures === 1) failedAtMs = Date.now();
    if (failures >= failuresTold) setBrokenSince(failedAtMs);
    await new Promise((resolve) => setTimeout(resolve, reconnectMs));
  }
}

/** At once, whether the server is there: the frame of the page says so. A question that is under way is not lost. */
function askReady(): void {
  void queryClient.invalidateQueries(queries.ready(), { cancelRefetch: false });
}
