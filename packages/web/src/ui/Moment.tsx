import { useEffect, useState } from 'react';
import { formatAgo, formatDuration, formatTime } from './format.ts';

/** An instant, told by distance; the title has it exactly. */
export function Ago({ epochMs }: { epochMs: number }) {
  const nowMs = useNow(30_000);
  if (epochMs === 0) return <>–</>;
  return (
    <time dateTime={new Date(epochMs).toISOString()} title={formatTime(epochMs)}>
      {formatAgo(epochMs, nowMs)}
    </time>
  );
}

/** From start to end, or to now while there is no end. */
export function Elapsed({ startMs, endMs }: { startMs: number; endMs: number }) {
  const nowMs = useNow(endMs === 0 ? 500 : 3_600_000);
  if (startMs === 0) return <>–</>;
  return <>{formatDuration(Math.max(0, (endMs === 0 ? nowMs : endMs) - startMs))}</>;
}

function useNow(everyMs: number): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return nowMs;
}
