/**
 * What of a log is in the page. A log may have many megabytes: only a window of it is kept, at its end while the task
 * runs; earlier parts are read when asked for.
 */
export interface LogWindow {
  readonly text: string;
  /** Byte range of the log that `text` stands for. */
  readonly startOffset: number;
  readonly endOffset: number;
  readonly size: number;
  readonly isTruncated: boolean;
  readonly isEnded: boolean;
}

export interface LogChunk {
  readonly log: string;
  readonly offset: number;
  readonly next_offset: number;
  readonly size: number;
  readonly truncated: boolean;
  readonly ended: boolean;
}

/** More than this and the browser feels it. */
export const windowCharsMax = 512 * 1024;
export const chunkBytes = 128 * 1024;

export const emptyWindow: LogWindow = {
  text: '',
  startOffset: 0,
  endOffset: 0,
  size: 0,
  isTruncated: false,
  isEnded: false,
};

export function appendChunk(window: LogWindow, chunk: LogChunk): LogWindow {
  const isNext = chunk.offset === window.endOffset && window.text !== '';
  const whole = isNext ? window.text + chunk.log : chunk.log;
  const cut = Math.max(0, whole.length - windowCharsMax);
  // Cut at a line's end, so that no half line stands at the top.
  const from = cut === 0 ? 0 : whole.indexOf('\n', cut) + 1;
  const startOffset = isNext ? window.startOffset : chunk.offset;
  return {
    text: whole.slice(from),
    startOffset: startOffset + new TextEncoder().encode(whole.slice(0, from)).length,
    endOffset: chunk.next_offset,
    size: chunk.size,
    isTruncated: chunk.truncated,
    isEnded: chunk.ended,
  };
}

/** Where to begin: at the start of a short log, else one chunk before the end. */
export function firstOffset(size: number): number {
  return Math.max(0, size - chunkBytes);
}

export function matchingLines(
  text: string,
  search: string,
): { readonly text: string; readonly count: number } {
  if (search === '') return { text, count: 0 };
  const wanted = search.toLowerCase();
  const lines = text.split('\n').filter((line) => line.toLowerCase().includes(wanted));
  return { text: lines.join('\n'), count: lines.length };
}
