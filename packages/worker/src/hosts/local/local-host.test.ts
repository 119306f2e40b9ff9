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
let answersPing: boolean;
let pings: number;
let server: net.Server;
let host: LocalHost;

/** A host that greets while it may, and does nothing that it is told. */
beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'local-host-'));
  fs.mkdirSync(socketFolder());
  program = spawn('sleep', ['600'], { stdio: 'ignore' });
  answersHello = true;
  answersPing = true;
  greetings = pings = 0;
  server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    const say = (frame: object) => {
      const body = Buffer.from(JSON.stringify(frame));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      socket.write(Buffer.concat([length, body]));
    };
    socket.on('data', (received) => {
      if (received.includes('"ping"')) {
        pings += 1;
        if (answersPing) say({ op: 'pong' });
      }
      if (!answersHello || !received.includes('"hello"')) return;
      greetings += 1;
      say({
        op: 'hello',
        version: hostProtocolVersion,
        pid: 1,
        spark: 'ready',
        attempts: [],
        answers_ping: true,
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(path.join(socketFolder(), 'host.sock'), resolve));
  host = await open({ silenceMs: 30_000 });
});
afterEach(async () => {
  host.close();
  program.kill('SIGKILL');
  await new Promise((resolve) => server.close(resolve));
  fs.rmSync(folder, { recursive: true, force: true });
});

const socketFolder = () => path.join(folder, 'sockets');

const askEveryMs = 20;

/** Both ends are in this process: a pause of it must not look like silence where none is expected. */
function open({ silenceMs, toldMs = 1_000 }: { silenceMs: number; toldMs?: number }): Promise<LocalHost> {
  return openLocalHost({
    folder,
    workerId: 'w',
    record: {
      ...identifyProcess(program.pid ?? 0),
      hostKey: 'k',
      clusterId: 'c',
      socketFolder: socketFolder(),
      version: hostProtocolVersion,
    },
    helloWaitMs: 2_000,
    stopAnswerMs: 200,
    silenceMs,
    pings: { askEveryMs, toldMs },
  });
}

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

test('a host that answers nothing is told of, and that it does again', async () => {
  const told: unknown[] = [];
  host.listen((frame) => frame.op === 'spark' && told.push([frame.state, frame.message]));
  await vi.waitFor(() => expect(pings).toBeGreaterThan(2), patience);
  expect(told).toEqual([]);

  answersPing = false;
  await vi.waitFor(() => expect(told).toHaveLength(1), patience);
  host.send([{ op: 'ping' }]);
  answersPing = true;
  host.send([{ op: 'ping' }]);
  await vi.waitFor(() => expect(told).toHaveLength(2), patience);

  const silent = /^the host process \d+ does not answer since \S+Z: .* within 30 s it is ended/;
  expect(told).toEqual([
    ['unknown', expect.stringMatching(silent)],
    ['ready', ''],
  ]);
  expect(program.exitCode ?? program.signalCode).toBeNull();
});

test('a host that answers nothing for too long is ended, unless a signal has stopped it', async () => {
  host.close();
  host = await open({ silenceMs: 100, toldMs: 60 });
  const told: string[] = [];
  host.listen((frame) => frame.op === 'spark' && told.push(frame.message));
  program.kill('SIGSTOP');
  answersPing = false;
  await vi.waitFor(() => expect(told.at(-1)).toContain('SIGSTOP'), patience);
  // Turns of the loop and not a time: in each the watch may have looked, however slow the machine is.
  for (let turn = 0; turn < 25; turn += 1) await new Promise((resolve) => setTimeout(resolve, askEveryMs));
  expect(program.exitCode ?? program.signalCode).toBeNull();

  program.kill('SIGCONT');

  await expect(host.died).resolves.toMatchObject({
    message: expect.stringContaining('lived and answered nothing, so its worker ended it'),
  });
});
