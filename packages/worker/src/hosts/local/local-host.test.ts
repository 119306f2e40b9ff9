import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hostProtocolVersion } from '../host-protocol.ts';
import { type LocalHost, openLocalHost } from './local-host.ts';
import { identifyProcess } from './processes.ts';

let folder: string;
let program: ChildProcess;
let answersHello: boolean;
let greetings: number;
let server: net.Server;
let host: LocalHost;

/** A host that greets while it may, and does nothing that it is told. */
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'local-host-'));
  program = spawn('sleep', ['600'], { stdio: 'ignore' });
  answersHello = true;
  greetings = 0;
  server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      if (!answersHello) return;
      greetings += 1;
      const hello = { op: 'hello', version: hostProtocolVersion, pid: 1, spark: 'none', attempts: [] };
      const body = Buffer.from(JSON.stringify(hello));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      socket.write(Buffer.concat([length, body]));
    });
  });
  await new Promise<void>((resolve) => server.listen(path.join(folder, 'host.sock'), resolve));
  host = await openLocalHost({
    folder,
    workerId: 'w',
    record: {
      ...identifyProcess(program.pid ?? 0),
      hostKey: 'k',
      clusterId: 'c',
      socketFolder: folder,
      version: hostProtocolVersion,
    },
    helloWaitMs: 2_000,
    stopAnswerMs: 200,
  });
});
afterEach(async () => {
  host.close();
  program.kill('SIGKILL');
  await new Promise((resolve) => server.close(resolve));
  fs.rmSync(folder, { recursive: true, force: true });
});

const patience = { timeout: 30_000 };
const stop = { op: 'stop', attempt_id: 1, epoch: 1, grace_ms: 0 } as const;

test('a host that neither ends an attempt nor answers is ended itself', async () => {
  answersHello = false;

  host.send([stop]);

  await expect(host.died).resolves.toMatchObject({ attempts: [] });
});

test('one that still answers goes on, however long the end of an attempt takes', async () => {
  const again = new Promise((resolve) => host.listen(resolve));

  host.send([stop]);

  await expect(again).resolves.toMatchObject({ op: 'hello' });
  expect(greetings).toBe(2);
  expect(program.exitCode ?? program.signalCode).toBeNull();
});

test('a host that is frozen says so while it is, and what it last said when it goes on', async () => {
  const messages: string[] = [];
  host.listen((frame) => frame.op === 'spark' && messages.push(frame.message));

  program.kill('SIGSTOP');
  await vi.waitFor(() => expect(messages).toHaveLength(1), patience);
  program.kill('SIGCONT');
  await vi.waitFor(() => expect(messages).toHaveLength(2), patience);

  expect(messages).toEqual([expect.stringMatching(/process \d+ is stopped \(SIGSTOP\)/), '']);
});
