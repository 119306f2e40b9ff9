import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type LogRotation, rotateLog } from './log-rotation.ts';

let folder: string;
let file: string;
let descriptor: number;
let rotation: LogRotation | null;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-log-'));
  file = path.join(folder, 'server.log');
  descriptor = fs.openSync(file, 'a', 0o600);
  rotation = null;
});
afterEach(() => {
  rotation?.stop();
  fs.closeSync(descriptor);
  fs.rmSync(folder, { recursive: true });
});

function start(options: { descriptor?: number } = { descriptor }): void {
  const onError = (error: unknown) => {
    throw error;
  };
  rotation = rotateLog({ file, bytesMax: 1_000, everyMs: 1, onError, ...options });
}

const linesOf = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8').trim().split('\n');

test('a log that grows too large goes on in place, and no line is lost', async () => {
  start();
  for (let line = 0; line < 200; line += 1) fs.writeSync(descriptor, `line ${line}\n`);
  await vi.waitFor(() => expect(fs.statSync(file).size).toBe(0));
  fs.writeSync(descriptor, 'after\n');

  expect(linesOf('server.log.1')).toEqual(Array.from({ length: 200 }, (_, line) => `line ${line}`));
  expect(linesOf('server.log')).toEqual(['after']);
  expect(fs.statSync(`${file}.1`).mode & 0o777).toBe(0o600);
});

test('a small log is left alone, and a file that somebody else writes', async () => {
  fs.writeSync(descriptor, 'x'.repeat(2_000));
  const other = fs.openSync(path.join(folder, 'journal'), 'a');
  start({ descriptor: other });
  await new Promise((resolve) => setTimeout(resolve, 20)); // It must not happen: there is nothing to wait for.
  fs.closeSync(other);

  expect(fs.readdirSync(folder).toSorted()).toEqual(['journal', 'server.log']);
});
