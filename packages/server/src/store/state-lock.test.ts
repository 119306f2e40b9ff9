import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockStateFolder, StateFolderCopiedError, StateFolderInUseError } from './state-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-lock-'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

const writeLock = (number: number, holder: object) =>
  fs.writeFile(path.join(folder, `server.lock.${number}`), JSON.stringify(holder));
const locks = async () => (await fs.readdir(folder)).filter((name) => name.startsWith('server.lock')).sort();

test('a folder that is held names its holder; released, it is free', async () => {
  const lock = await lockStateFolder(folder);

  await expect(lockStateFolder(folder)).rejects.toThrow(StateFolderInUseError);
  await expect(lockStateFolder(folder)).rejects.toThrow(`process id ${process.pid}`);
  await lock.release();

  await (await lockStateFolder(folder)).release();
});

test('a lock of a process that has ended is taken over', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  await writeLock(4, { pid: child.pid, startTime: 'then' });

  await lockStateFolder(folder);

  expect(await locks()).toEqual(['server.lock.5']);
});

test('a lock whose process id now belongs to another program is taken over', async () => {
  await writeLock(1, { pid: process.pid, startTime: 'another start' });

  await lockStateFolder(folder);

  expect(await locks()).toEqual(['server.lock.2']);
});

test('a lock that was cut short by a crash is taken over', async () => {
  await fs.writeFile(path.join(folder, 'server.lock.1'), '{"pid":');

  await lockStateFolder(folder);

  expect(await locks()).toEqual(['server.lock.2']);
});

test('of many takers at once, one gets it', async () => {
  await writeLock(1, { pid: 1, startTime: 'gone' });

  const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockStateFolder(folder)));

  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a folder that was copied from a running server is refused, and told as a copy', async () => {
  const lock = await lockStateFolder(folder);
  const copy = `${folder}-copy`;
  await fs.cp(folder, copy, { recursive: true });

  const refused = lockStateFolder(copy);

  await expect(refused).rejects.toThrow(StateFolderCopiedError);
  await expect(refused).rejects.toThrow(`${copy} was copied from ${folder} while the server with process id`);
  await lock.release();
  await fs.rm(copy, { recursive: true });
});

test('a folder that was moved with its server running is in use', async () => {
  await lockStateFolder(folder);
  const moved = `${folder}-moved`;
  await fs.rename(folder, moved);

  await expect(lockStateFolder(moved)).rejects.toThrow(StateFolderInUseError);

  await fs.rename(moved, folder);
});
