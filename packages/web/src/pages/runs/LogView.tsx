import type { RunTaskDocument } from '@headrace/api';
import { useEffect, useRef, useState } from 'react';
import { client } from '../../api/client.ts';
import { formatBytes } from '../../ui/format.ts';
import {
  appendChunk,
  chunkBytes,
  emptyWindow,
  firstOffset,
  type LogWindow,
  matchingLines,
} from './log-window.ts';

const followMs = 1_000;

export function LogView({ runId, task }: { runId: number; task: RunTaskDocument }) {
  const { window: log, error, showFrom } = useLog(runId, task.run_id);
  const [search, setSearch] = useState('');
  const [wraps, setWraps] = useState(true);
  const found = matchingLines(log.text, search);
  const box = useFollowedBox(log.text);
  return (
    <div className="log">
      <div className="log-bar">
        <input
          type="search"
          placeholder="Only lines with …"
          aria-label="Search the log"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        {search && <span className="dim">{found.count} lines</span>}
        <label>
          <input type="checkbox" checked={wraps} onChange={(event) => setWraps(event.target.checked)} /> Wrap
        </label>
        <span className="dim">{formatBytes(log.size)}</span>
        {log.startOffset > 0 && (
          <button type="button" onClick={() => showFrom(0)}>
            From the start
          </button>
        )}
        {log.endOffset < log.size && log.isEnded && (
          <button type="button" onClick={() => showFrom(firstOffset(log.size))}>
            To the end
          </button>
        )}
      </div>
      {log.isTruncated && (
        <p className="notice">
          The task printed more than is kept: the middle of this log was left out. A line in it marks the
          place.
        </p>
      )}
      {error && (
        <p role="alert" className="problem">
          {error}
        </p>
      )}
      <section aria-label="Log text">
        <pre ref={box} className={wraps ? 'log-text wraps' : 'log-text'}>
          {found.text || (
            <span className="dim">{log.isEnded ? 'The task printed nothing.' : 'Nothing printed yet.'}</span>
          )}
        </pre>
      </section>
    </div>
  );
}

/** Reads the end of the log, then follows it until the task has ended. */
function useLog(runId: number, taskRunId: number) {
  const [state, setState] = useState<LogWindow>(emptyWindow);
  const [error, setError] = useState<string | null>(null);
  const [from, setFrom] = useState<number | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const read = (offset: number) =>
      client.taskLog(
        { run_id: runId, task_run_id: taskRunId, offset, limit: chunkBytes },
        { signal: stop.signal },
      );
    const follow = async () => {
      const size = from === null ? (await read(0)).size : 0;
      let window: LogWindow = { ...emptyWindow, endOffset: from ?? firstOffset(size) };
      while (!stop.signal.aborted) {
        const chunk = await read(window.endOffset);
        window = appendChunk(window, chunk);
        setState(window);
        setError(null);
        const isAtEnd = window.endOffset >= window.size;
        if ((isAtEnd && window.isEnded) || (from !== null && !isAtEnd)) return;
        if (isAtEnd) await new Promise((resolve) => setTimeout(resolve, followMs));
      }
    };
    follow().catch((reason: unknown) => {
      if (!stop.signal.aborted) setError(reason instanceof Error ? reason.message : String(reason));
    });
    return () => stop.abort();
  }, [runId, taskRunId, from]);
  return { window: state, error, showFrom: setFrom };
}

/** Stays at the end as the text grows, unless the reader has scrolled away from it. */
function useFollowedBox(text: string) {
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const onScroll = () => {
      isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
    };
    element.addEventListener('scroll', onScroll);
    return () => element.removeEventListener('scroll', onScroll);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `text` is what makes the box grow.
  useEffect(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return box;
}
