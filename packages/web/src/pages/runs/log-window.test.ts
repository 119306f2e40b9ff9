import { expect, test } from 'vitest';
import {
  appendChunk,
  chunkBytes,
  emptyWindow,
  firstOffset,
  type LogChunk,
  matchingLines,
  windowCharsMax,
} from './log-window.ts';

/** What the server answers for the bytes from `offset`. */
function aChunk(log: string, offset: number, more: Partial<LogChunk> = {}): LogChunk {
  const next_offset = offset + Buffer.byteLength(log);
  return { log, offset, next_offset, size: next_offset, truncated: false, ended: false, ...more };
}

test('chunks that follow each other make one text', () => {
  const first = appendChunk(emptyWindow, aChunk('one\n', 0));
  const both = appendChunk(first, aChunk('two\n', 4, { ended: true }));

  expect(both).toMatchObject({ text: 'one\ntwo\n', startOffset: 0, endOffset: 8, isEnded: true });
});

test('a chunk from elsewhere takes the place of the text', () => {
  const before = appendChunk(emptyWindow, aChunk('one\n', 0));

  const after = appendChunk(before, aChunk('far\n', 900));

  expect(after).toMatchObject({ text: 'far\n', startOffset: 900, endOffset: 904 });
});

test('an empty chunk at the end keeps the text', () => {
  const before = appendChunk(emptyWindow, aChunk('one\n', 0));

  expect(appendChunk(before, aChunk('', 4, { ended: true }))).toMatchObject({ text: 'one\n', isEnded: true });
});

test('what grows too large loses whole lines at its start, counted in bytes', () => {
  const line = `${'é'.repeat(99)}\n`;
  const lines = Math.ceil(windowCharsMax / line.length) + 10;
  let window = emptyWindow;

  for (let at = 0; at < lines; at++) window = appendChunk(window, aChunk(line, window.endOffset));

  expect(window.text.length).toBeLessThanOrEqual(windowCharsMax);
  expect(window.text.startsWith('é'.repeat(99))).toBe(true);
  expect(window.startOffset).toBe(window.endOffset - Buffer.byteLength(window.text));
});

test('one line longer than the window keeps its end', () => {
  const window = appendChunk(emptyWindow, aChunk('x'.repeat(windowCharsMax + 100), 0));

  expect(window.text).toHaveLength(windowCharsMax);
  expect(window.startOffset).toBe(100);
});

test('a chunk that begins inside of a line shows from the next line on', () => {
  const window = appendChunk(emptyWindow, aChunk('lf a line\nwhole\n', 5_000));

  expect(window).toMatchObject({ text: 'whole\n', startOffset: 5_010 });
});

test('a short log is read from its start, a long one from one chunk before its end', () => {
  expect(firstOffset(chunkBytes)).toBe(0);
  expect(firstOffset(chunkBytes + 7)).toBe(7);
});

test('a search keeps the lines that hold it, whatever their case', () => {
  expect(matchingLines('Error: a\nfine\nan error\n', 'ERROR')).toEqual({
    text: 'Error: a\nan error',
    count: 2,
  });
  expect(matchingLines('a\nb\n', '')).toEqual({ text: 'a\nb\n', count: 0 });
  expect(matchingLines('a\nb\n', 'z')).toEqual({ text: '', count: 0 });
});

test('a character that a range cuts is read again, whole', () => {
  const bytes = Buffer.from('aé€\n');
  const read = (offset: number, limit: number) => {
    const part = bytes.subarray(offset, offset + limit);
    return aChunk(part.toString(), offset, { next_offset: offset + part.length, size: bytes.length });
  };

  const cut = appendChunk(emptyWindow, read(0, 4));
  const whole = appendChunk(cut, read(cut.endOffset, 100));

  expect(cut).toMatchObject({ text: 'aé', endOffset: 3 });
  expect(whole).toMatchObject({ text: 'aé€\n', endOffset: 7 });
});
