import { expect, test } from 'vitest';
import { createFrameDecoder, encodeFrame } from './connection.ts';

const frames = [
  { op: 'go', attempt_id: 1, epoch: 2 },
  { op: 'prepare', attempt_id: 3, epoch: 1, folder: '/Größe', log_bytes_max: 5 },
] as const;

test.each([1, 3, 7, 1000])('frames come whole from a stream cut every %i bytes', (size) => {
  const stream = Buffer.concat(frames.map(encodeFrame));
  const decode = createFrameDecoder();

  const decoded: unknown[] = [];
  for (let start = 0; start < stream.length; start += size) {
    decoded.push(...decode(stream.subarray(start, start + size)));
  }

  expect(decoded).toEqual(frames);
});

test('a peer that speaks something else is refused', () => {
  const decode = createFrameDecoder();

  expect(() => decode(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toThrow('exceeds the limit');
});
