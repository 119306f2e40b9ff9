import { useEffect, useState } from 'react';
import { formatAgo, formatDuration, formatShortDuration, formatTime } from './format.ts';
import { useOutage } from './outage-context.ts';

/** An instant, told by distance; the title has it exactly. */
export function Ago({ epochMs }: { epochMs: number }) {
  const isFresh = Date.now() - epochMs < 60_000;
  const nowMs = useNow(isFresh ? 1_000 : 30_000);
  if (epochMs === 0) return <>–</>;
  return (
    <time dateTime={new Date(epochMs).toISOString()} title={formatTime(epochMs)}>
      {formatAgo(epochMs, nowMs)}
    </time>
  );
}

export interface ElapsedProps {
  readonly startMs: number;
  readonly endMs: number;
  /** In little room. */
  readonly isShort?: boolean;
  /** Also while the server is away. */
  readonly goesOn?: boolean;
}

/** From start to end; while there is no end to now, or to when the server was last heard: it may have ended since. */
export function Elapsed({ startMs, endMs, isShort = false, goesOn = false }: ElapsedProps) {
  const nowMs = useNow(endMs === 0 ? 500 : 3_600_000);
  const outage = useOutage();
  if (startMs === 0) return <>–</>;
  const knownMs = outage === null || goesOn ? nowMs : Math.min(nowMs, outage.heardAtMs);
  const elapsedMs = Math.max(0, (endMs === 0 ? knownMs : endMs) - startMs);
  return <>{isShort ? formatShortDuration(elapsedMs) : formatDuration(elapsedMs)}</>;
}

function useNow(everyMs: number): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}
