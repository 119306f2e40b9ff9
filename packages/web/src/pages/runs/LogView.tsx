import type { RunTaskDocument } from '@headrace/api';
import { useEffect, useRef, useState } from 'react';
import { formatBytes } from '../../ui/format.ts';
import { useOutage } from '../../ui/outage-context.ts';
import { Loading } from '../../ui/Problem.tsx';
import { firstOffset, type LogWindow, matchingLines } from './log-window.ts';
import { useLog } from './use-log.ts';

export function LogView({ runId, task }: { runId: number; task: RunTaskDocument }) {
  const { window: log, error: found, showFrom } = useLog(runId, task.run_id);
  const isAway = useOutage() !== null;
  const error = found?.isPassing && isAway ? null : found;
  return (
    <div className="log">
      {error !== null && (
        <p role="alert" className="problem">
          <strong>The log could not be read.</strong> {error.message}
        </p>
      )}
      {log === null ? error === null && <Loading what="log" /> : <LogText log={log} showFrom={showFrom} />}
    </div>
  );
}

function LogText({ log, showFrom }: { log: LogWindow; showFrom: (offset: number) => void }) {
  const [search, setSearch] = useState('');
  const [wraps, setWraps] = useState(true);
  const found = matchingLines(log.text, search);
  const box = useFollowedBox(found.text);
  const isWhole = log.startOffset === 0 && log.endOffset >= log.size;
  return (
    <>
      <div className="log-bar">
        <input
          type="search"
          placeholder="Only lines with …"
          aria-label="Search the log"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        {search && (
          <span role="status">
            {found.count} {found.count === 1 ? 'line' : 'lines'}
            {!isWhole && ' in the part shown'}
          </span>
        )}
        <label>
          <input type="checkbox" checked={wraps} onChange={(event) => setWraps(event.target.checked)} /> Wrap
        </label>
        <span className="log-place">
          <span className="dim">
            {isWhole
              ? formatBytes(log.size)
              : `${formatBytes(log.startOffset)} to ${formatBytes(log.endOffset)} of ${formatBytes(log.size)}`}
          </span>
          {log.startOffset > 0 && (
            <button type="button" onClick={() => showFrom(0)}>
              From the start
            </button>
          )}
          {log.endOffset < log.size && (
            <button type="button" onClick={() => showFrom(firstOffset(log.size))}>
              To the end
            </button>
          )}
        </span>
      </div>
      {log.isTruncated && (
        <p className="notice">
          The task printed more than is kept: the middle of this log was left out. A line in it marks the
          place.
        </p>
      )}
      <section aria-label="Log text">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls only what has the focus. */}
        <pre ref={box} className={wraps ? 'log-text wraps' : 'log-text'} tabIndex={0}>
          {found.text || <span className="dim">{wordsForNothing(log, search)}</span>}
        </pre>
      </section>
    </>
  );
}

function wordsForNothing(log: LogWindow, search: string): string {
  if (search !== '') return `No line has “${search}”.`;
  return log.isEnded ? 'The task printed nothing.' : 'Nothing printed yet.';
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
