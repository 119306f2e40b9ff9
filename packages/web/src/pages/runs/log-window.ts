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
  const { text, endOffset } = withoutHalfCharacter(chunk);
  const whole = isNext ? window.text + text : text;
  const startOffset = isNext ? window.startOffset : chunk.offset;
  const from = firstWholeLine(whole, { isInside: startOffset > 0 && !isNext });
  return {
    text: whole.slice(from),
    startOffset: startOffset + countBytes(whole.slice(0, from)),
    endOffset,
    size: chunk.size,
    isTruncated: chunk.truncated,
    isEnded: chunk.ended,
  };
}

/** Where the text begins that fits the window: at a line's start, unless one line fills it alone. */
function firstWholeLine(text: string, { isInside }: { isInside: boolean }): number {
  const cut = Math.max(0, text.length - windowCharsMax);
  if (cut === 0 && !isInside) return 0;
  const lineEnd = text.indexOf('\n', cut);
  return lineEnd === -1 || lineEnd === text.length - 1 ? cut : lineEnd + 1;
}

/** The end of a range may cut a character, which comes as U+FFFD: it is left for the next range, which has it whole. */
function withoutHalfCharacter(chunk: LogChunk): { readonly text: string; readonly endOffset: number } {
  const isLast = chunk.ended && chunk.next_offset >= chunk.size;
  if (isLast || !chunk.log.endsWith('\ufffd')) return { text: chunk.log, endOffset: chunk.next_offset };
  const text = chunk.log.slice(0, -1);
  const left = chunk.next_offset - chunk.offset - countBytes(text);
  // Less than one character of at most four bytes; anything else was broken in the log itself.
  if (left < 1 || left > 3) return { text: chunk.log, endOffset: chunk.next_offset };
  return { text, endOffset: chunk.next_offset - left };
}

function countBytes(text: string): number {
  return new TextEncoder().encode(text).length;
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
