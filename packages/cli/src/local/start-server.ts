/** Starts the server process of this machine and waits until it takes runs. */
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { getCompileCacheDir } from 'node:module';
import path from 'node:path';
import { createClient } from '@headrace/api';
import { z } from 'zod';
import type { CliContext } from '../cli-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { explainFailedStart } from './explain-failed-start.ts';
import { findServer } from './find-server.ts';
import { addressOf, readJson, readServerFile, type ServerFile } from './server-file.ts';
import { stopServer } from './stop-server.ts';

/** A first start makes a database (1.6 s on two idle cores); a loaded machine may need many times that. */
const readyTimeoutMs = 90_000;
const pollMs = 25;
/** At a start, a longer log moves to server.log.1. */
const logBytesMax = 16 * 1024 * 1024;

const KeptSettings = z.looseObject({ port: z.int().positive() });

export interface StartOptions {
  readonly stateDir: string;
  readonly port: number | undefined;
  /** As HEADRACE_ROLES takes them. */
  readonly roles?: string | undefined;
  readonly tls?: TlsOptions | undefined;
}

export interface TlsOptions {
  /** By an authority that the state folder keeps. */
  readonly isLocal: boolean;
  readonly certificateFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface StartedServer {
  readonly pid: number;
  readonly file: ServerFile;
  /** What it told people while it started: on a first start, the administrator's token. */
  readonly announcement: string;
  readonly ended: Promise<string>;
}

export async function startServer(context: CliContext, options: StartOptions): Promise<StartedServer> {
  const { stateDir } = options;
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await refuseSecond(stateDir);
  const logFile = path.join(stateDir, 'server.log');
  const logOffset = await rotateLog(logFile);
  const outFile = path.join(stateDir, `server.out-${process.pid}`);
  const port = options.port ?? (await readKeptPort(context, stateDir));
  const child = await spawnServer(context, { ...options, port }, { logFile, outFile });
  try {
    const file = await waitUntilReady(context, child, stateDir);
    return { pid: child.pid, file, ended: child.ended, announcement: await readFile(outFile, 'utf8') };
  } catch (error) {
    if (!child.hasEnded()) child.stop();
    // Ctrl-C means that nothing shall run; otherwise hosts go on with what an earlier server gave them.
    if (context.interrupted.aborted) await stopServer(context, stateDir);
    throw await explainFailedStart(context, error, { logFile, logOffset, outFile });
  } finally {
    await rm(outFile, { force: true });
  }
}

/**
 * A folder's server stays where it was, because clients and hosts know its address: 0 tells it to take the port that
 * it has kept. Undefined leaves the choice to the environment or, on a first start, to the default.
 */
async function readKeptPort(context: CliContext, stateDir: string): Promise<0 | undefined> {
  if (context.settings.environment.HEADRACE_PORT) return undefined;
  const kept = KeptSettings.safeParse(await readJson(path.join(stateDir, 'settings.json')));
  return kept.success ? 0 : undefined;
}

/** Where the lines of this start will begin. */
async function rotateLog(logFile: string): Promise<number> {
  const sizeBytes = (await stat(logFile).catch(() => undefined))?.size ?? 0;
  if (sizeBytes <= logBytesMax) return sizeBytes;
  await rename(logFile, `${logFile}.1`);
  return 0;
}

async function refuseSecond(stateDir: string): Promise<void> {
  const running = await findServer(stateDir);
  if (running === undefined) return;
  const where = running.file === undefined ? 'still starting' : running.file.url;
  throw new CommandError(`a server runs on ${stateDir} already: process ${running.pid}, ${where}`, {
    exitCode: exitCodes.failed,
    cure: `use it, stop it with \`headrace down --state-dir ${stateDir}\`, or give --state-dir another folder`,
  });
}

interface Child {
  readonly pid: number;
  /** How it ended, in words. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  stop(): void;
}

/**
 * The server writes into files, never into pipes: it must outlive this command. Standard output is for people and is
 * shown once and removed, because a first start puts a token there; standard error is the log.
 */
async function spawnServer(
  context: CliContext,
  options: StartOptions,
  files: { logFile: string; outFile: string },
): Promise<Child> {
  const [log, out] = await Promise.all([open(files.logFile, 'a', 0o600), open(files.outFile, 'w', 0o600)]);
  const child = spawn(process.execPath, [...context.serverCommand, '--state-dir', options.stateDir], {
    cwd: options.stateDir,
    detached: true,
    stdio: ['ignore', out.fd, log.fd],
    env: {
      // Where this command keeps its own compiled code; undefined when that is switched off.
      NODE_COMPILE_CACHE: getCompileCacheDir(),
      ...context.settings.environment,
      HEADRACE_STATE_DIR: options.stateDir,
      ...(options.port === undefined ? {} : { HEADRACE_PORT: String(options.port) }),
      ...(options.roles === undefined ? {} : { HEADRACE_ROLES: options.roles }),
      ...toTlsVariables(options.tls),
    },
  });
  let hasEnded = false;
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      hasEnded = true;
      resolve(signal === null ? `exit code ${code}` : signal);
    });
  });
  await Promise.all([log.close(), out.close()]);
  if (child.pid === undefined)
    throw new Error('cannot start the server process', { cause: await ended.catch((e) => e) });
  return { pid: child.pid, ended, hasEnded: () => hasEnded, stop: () => child.kill('SIGTERM') };
}

function toTlsVariables(tls: TlsOptions | undefined): Record<string, string> {
  return {
    ...(tls?.isLocal && { HEADRACE_TLS: 'local' }),
    ...(tls?.certificateFile !== undefined && { HEADRACE_TLS_CERT: tls.certificateFile }),
    ...(tls?.keyFile !== undefined && { HEADRACE_TLS_KEY: tls.keyFile }),
  };
}

async function waitUntilReady(context: CliContext, child: Child, stateDir: string): Promise<ServerFile> {
  const deadlineMs = context.clock.nowMs() + readyTimeoutMs;
  for (;;) {
    if (child.hasEnded()) throw new Error(`the server ended while it started: ${await child.ended}`);
    if (context.interrupted.aborted) throw new Error('interrupted while the server started');
    const file = await readServerFile(stateDir);
    if (file?.pid === child.pid && (await isReady(context, file))) return file;
    if (context.clock.nowMs() > deadlineMs)
      throw new Error(`the server was not ready after ${readyTimeoutMs / 1_000} s`);
    await context.clock.sleep(pollMs, context.interrupted);
  }
}

async function isReady(context: CliContext, file: ServerFile): Promise<boolean> {
  try {
    await createClient({ baseUrl: addressOf(file), fetch: context.fetch }).readyz({});
    return true;
  } catch {
    return false; // Not listening yet, or 503 while its parts start; the deadline ends this.
  }
}
