import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { copyFiles } from './copy-files.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-copy-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const from = (...parts: string[]) => path.join(folder, 'from', ...parts);
const to = (...parts: string[]) => path.join(folder, 'to', ...parts);

function write(file: string, text: string, mode = 0o644): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text, { mode });
}

test('the copied log of a table that is being written names copied files only', async () => {
  // As Delta does it: the file first, then the entry that names it; now and then a checkpoint, then its name.
  let version = 0;
  // A file of the log is whole from the moment at which it is there: our log store renames it into place.
  const writeWhole = (name: string, text: string) => {
    write(path.join(folder, 'draft'), text);
    fs.mkdirSync(from('t', '_delta_log'), { recursive: true });
    fs.renameSync(path.join(folder, 'draft'), from('t', '_delta_log', name));
  };
  const commit = () => {
    const name = String(version).padStart(5, '0');
    write(from('t', 'a=1', `part-${version}`), 'x');
    writeWhole(`${name}.json`, `part-${version}`);
    if (version % 5 === 0) {
      writeWhole(`${name}.checkpoint`, '');
      writeWhole('_last_checkpoint', `${name}.checkpoint`);
    }
    version += 1;
  };
  for (let commits = 0; commits < 100; commits += 1) commit();
  let isOver = false;
  const writing = (async () => {
    for (; !isOver; commit()) await new Promise((resolve) => setImmediate(resolve));
  })();

  await copyFiles(from(), to(), () => false);
  isOver = true;
  await writing;

  expect(version).toBeGreaterThan(100);
  const log = fs.readdirSync(to('t', '_delta_log'));
  for (const name of log.filter((entry) => entry.endsWith('.json'))) {
    const named = fs.readFileSync(to('t', '_delta_log', name), 'utf8');
    expect([name, fs.existsSync(to('t', 'a=1', named))]).toEqual([name, true]);
  }
  expect(log).toContain(fs.readFileSync(to('t', '_delta_log', '_last_checkpoint'), 'utf8'));
});

test('a copy is for its owner only, programs stay programs, and links are left', async () => {
  write(from('plain'), 'x');
  write(from('below', 'program'), 'x', 0o755);
  write(from('left', 'out'), 'x');
  fs.symlinkSync('/etc/passwd', from('link'));

  const copied = await copyFiles(from(), to(), (relative) => relative === 'left');

  expect(copied).toEqual({ count: 2, bytes: 2, missed: [] });
  expect(fs.readdirSync(to()).toSorted()).toEqual(['below', 'plain']);
  expect(fs.statSync(to('plain')).mode & 0o777).toBe(0o600);
  expect(fs.statSync(to('below', 'program')).mode & 0o777).toBe(0o700);
});
