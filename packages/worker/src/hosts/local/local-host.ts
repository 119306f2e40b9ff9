/**
 * One local host as the worker sees it: a connection that mends itself while the process lives, and a death that
 * is proven (pid and start time gone, nothing with its mark left) before anyone hears of it.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { ExecutorPlan } from '../../ports.ts';
import { type FrameStream, type OpenStreamOptions, openFrameStream } from '../connection.ts';
import type { HostConnection, HostDeath, HostSetup } from '../host-backend.ts';
import {
  type FromHost,
  hostProtocolVersion,
  hostProtocolVersionsSpoken,
  type ToHost,
} from '../host-protocol.ts';
import { createFreezeWatch, type FreezeWatch } from './freeze-watch.ts';
import { describeHostDeath, noteEnding } from './host-death.ts';
import { readJournal } from './journal.ts';
import { countMemoryKills, hasKilledSince } from './memory-kills.ts';
import { isAlive, kill, killMarked, type ProcessIdentity } from './processes.ts';
import { createStopWatch } from './stop-watch.ts';

/** Also how long a death may go unnoticed when the socket does not tell: a frozen process keeps it open. */
const lifeCheckMs = 500;
const reconnectMs = 50;
/** A disk that is full, or a process stuck in the kernel, does not change faster. */
const buryRetryMs = 2_000;
/** After the grace of a stop: longer than its proofs take on a machine that is overloaded, or than a pause of one. */
const stopAnswerDefaultMs = 60_000;
/** Without an answer to anything; one that was stopped by a signal is left alone, for somebody did that. */
const silenceDefaultMs = 600_000;

/** `host.json`, written by the host itself. */
export interface HostRecord extends ProcessIdentity {
  readonly hostKey: string;
  readonly clusterId: string;
  readonly socketFolder: string;
  /** Of the protocol that it speaks. */
  readonly version: number;
}

export interface LocalHost extends HostConnection {
  readonly record: HostRecord;
}

export interface LocalHostOptions {
  readonly folder: string;
  readonly record: HostRecord;
  readonly workerId: string;
  readonly helloWaitMs?: number;
  readonly stopAnswerMs?: number;
  readonly silenceMs?: number;
  readonly pings?: { readonly askEveryMs: number; readonly toldMs: number };
}

export async function openLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const { folder, record, stopAnswerMs = stopAnswerDefaultMs, silenceMs = silenceDefaultMs } = options;
  const { promise: died, resolve: provenDead } = Promise.withResolvers<HostDeath>();
  const early: FromHost[] = [];
  let listener = (frame: FromHost): unknown => early.push(frame);
  let stream: FrameStream | null = null;
  let isClosed = false;
  // Whether it answers at all shows when it is greeted again.
  const stops = createStopWatch({ answerMs: stopAnswerMs, onSilent: () => stream?.close() });
  const endSilent = () => endHost(folder, record.pid);
  const freezes = createFreezeWatch(record, {
    silenceMs,
    tell: (frame) => listener(frame),
    onTooLong: endSilent,
  });

  const connect = async () => {
    stream = await openStream(options, {
      pings: freezes.pings,
      onFrame(frame) {
        stops.heard(frame);
        freezes.heard(frame);
        listener(frame);
      },
      onClose: () => {
        stream = null;
        if (!isClosed) void mend();
      },
    });
    freezes.heard(stream.hello);
    return stream.hello;
  };

  const mend = async () => {
    while (!isClosed) {
      if (!isAlive(record)) return finishDead();
      try {
        const hello = await connect();
        stops.clear();
        // Closed meanwhile: nobody would ever close this one.
        if (isClosed) stream?.close();
        else listener(hello);
        return;
      } catch {
        // It is alive and cannot talk, or is about to die; either shows. What shall end, and cannot be told to, ends with it.
        if (stops.isSilent && isAlive(record)) endSilent();
        await new Promise((resolve) => setTimeout(resolve, reconnectMs));
      }
    }
  };

  const finishDead = async () => {
    if (isClosed) return;
    isClosed = true;
    stops.clear();
    clearInterval(lifeCheck);
    provenDead(await buryUntilProven(folder, record, hasKilledSince(memoryKills)));
  };

  const memoryKills = countMemoryKills();
  const hello = await connect();
  const lookAtLife = () => (isAlive(record) ? freezes.look() : void finishDead());
  const lifeCheck = setInterval(lookAtLife, lifeCheckMs).unref();
  return {
    hostKey: record.hostKey,
    clusterId: record.clusterId,
    setup: readHostSetup(folder),
    record,
    hello,
    died,
    send(frames: readonly ToHost[]) {
      stops.sent(frames);
      stream?.send(frames);
    },
    listen(hear) {
      listener = hear;
      early.splice(0).forEach(hear);
    },
    close() {
      isClosed = true;
      stops.clear();
      clearInterval(lifeCheck);
      stream?.close();
    },
  };
}

function endHost(folder: string, pid: number): void {
  kill(pid);
  // After it: a disk that hangs must not keep it from the kill.
  noteEnding(folder, pid, 'silence');
}

function openStream(
  { record, workerId, helloWaitMs, pings }: LocalHostOptions,
  hooks: Pick<OpenStreamOptions, 'onFrame' | 'onClose'> & Pick<FreezeWatch, 'pings'>,
): Promise<FrameStream> {
  return openFrameStream({
    ...{ workerId, helloWaitMs, ...hooks },
    socketPath: path.join(record.socketFolder, 'host.sock'),
    version: versionToSpeak(record),
    pings: { ...pings, ...hooks.pings },
  });
}

function versionToSpeak({ version }: HostRecord): number {
  return hostProtocolVersionsSpoken.includes(version) ? version : hostProtocolVersion;
}

/** Its attempts wait for the proof, however long a process hangs in the kernel or its folder cannot be read. */
async function buryUntilProven(
  folder: string,
  record: HostRecord,
  wasMemory: boolean | null,
): Promise<HostDeath> {
  for (;;) {
    try {
      return await buryHost(folder, record, wasMemory);
    } catch (cause) {
      process.emitWarning(
        new Error(`what host ${record.hostKey} left behind cannot be cleared away yet`, { cause }),
      );
      await new Promise((resolve) => setTimeout(resolve, buryRetryMs));
    }
  }
}

/** Makes sure that nothing of the host can act any more, and reads what it did. */
export async function buryHost(
  folder: string,
  record: HostRecord,
  wasMemory: boolean | null = null,
): Promise<HostDeath> {
  if (isAlive(record)) kill(record.pid);
  await killMarked(folder);
  // Temporary files of attempts are among it, and may be many.
  await fs.promises.rm(record.socketFolder, { recursive: true, force: true });
  const attempts = readJournal(path.join(folder, 'journal.jsonl'));
  // It stays for the next life to read, unless there is nothing to learn.
  if (attempts.length === 0) fs.rmSync(path.join(folder, 'host.json'), { force: true });
  return { message: describeHostDeath(record.pid, { folder, wasMemory }), attempts };
}

/** What stands in `config.json`, which we wrote before the start. */
function readHostSetup(folder: string): HostSetup {
  try {
    const config = JSON.parse(fs.readFileSync(path.join(folder, 'config.json'), 'utf8')) as {
      readonly spark_conf?: Record<string, string>;
      readonly pool_id?: string;
      readonly executors?: ExecutorPlan | null;
    };
    const { executors } = config;
    return {
      sparkConf: config.spark_conf ?? {},
      poolId: config.pool_id ?? null,
      ...(executors !== undefined && { executors }),
    };
  } catch {
    return { sparkConf: {}, poolId: null };
  }
}

/** From now on the host in this folder is that of another key. False where its record is gone. */
export function renameHost(
  folder: string,
  to: { readonly hostKey: string; readonly clusterId: string },
): boolean {
  const file = path.join(folder, 'host.json');
  try {
    const record = JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>;
    const renamed = { ...record, host_key: to.hostKey, cluster_id: to.clusterId };
    fs.writeFileSync(`${file}.new`, JSON.stringify(renamed), { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
    return true;
  } catch {
    return false;
  }
}

export function readHostRecord(folder: string): HostRecord | null {
  try {
    // The host wrote it, whole, by renaming.
    const text = fs.readFileSync(path.join(folder, 'host.json'), 'utf8');
    const record = JSON.parse(text) as {
      readonly pid: number;
      readonly start_time: number | null;
      readonly host_key: string;
      readonly cluster_id: string;
      readonly socket_folder: string;
      readonly version: number;
    };
    return {
      pid: record.pid,
      startTime: record.start_time,
      hostKey: record.host_key,
      clusterId: record.cluster_id,
      socketFolder: record.socket_folder,
      version: record.version,
    };
  } catch {
    return null;
  }
}
