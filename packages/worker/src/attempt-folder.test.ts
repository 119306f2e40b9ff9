import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readAttemptFiles } from './attempt-folder.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'attempt-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function inFolder(name: string): string {
  return path.join(folder, name);
}

test('what a task left under the names of our files, and is no file, counts as nothing', () => {
  execFileSync('mkfifo', [inFolder('messages.jsonl')]);
  fs.mkdirSync(inFolder('result.json'));

  const files = readAttemptFiles(folder);

  expect(files).toEqual({ result: null, taskValues: {} });
});

test('a link that leads in a circle counts as nothing', () => {
  fs.symlinkSync(inFolder('result.json'), inFolder('result.json'));

  const files = readAttemptFiles(folder);

  expect(files.result).toBeNull();
});

test.each([
  { code: 'NO_SUCH_CODE', message: 'x', trace: null },
  { code: 'RUN_EXECUTION_ERROR', message: { a: 1 }, trace: null },
  { code: 'RUN_EXECUTION_ERROR', message: 'x', trace: 7 },
])('a failure that our runtime did not write is not told: %j', (failure) => {
  fs.writeFileSync(inFolder('result.json'), JSON.stringify({ version: 1, state: 'failed', failure }));

  const files = readAttemptFiles(folder);

  expect(files.result).toEqual({ version: 1, state: 'failed' });
});

test('of messages, a line that was cut off is left out', () => {
  const value = JSON.stringify({ kind: 'task_value', name: 'rows', value: 3 });
  fs.writeFileSync(inFolder('messages.jsonl'), `${value}\n${value.slice(0, 20)}`);

  const files = readAttemptFiles(folder);

  expect(files.taskValues).toEqual({ rows: 3 });
});
