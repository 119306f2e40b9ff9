/** The server's process: reads the settings, composes the parts, ends them on SIGTERM. Started by `headrace up`. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BackendName,
  findOtherHosts,
  type HostBackend,
  openBackend,
  openKubernetes,
  readHostRuntime,
  startWorker,
} from '@headrace/worker';
import { destination, type Logger, pino } from 'pino';
import { findBackupCommand } from './backup/backup-commands.ts';
import { type Config, describeConfig, inheritedEnvironment, readConfig } from './config.ts';
import { StartError } from './start-error.ts';
import { startServer, type WorkerWiring } from './start-server.ts';
import { rotateLog } from './store/log-rotation.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const standardError = 2;
/** As much again is in server.log.1. */
const logBytesMax = 16 * 1024 ** 2;
const clock = { nowMs: () => Date.now() };

async function main(): Promise<void> {
  const config = readConfig();
  // Standard output is for people: `headrace up` shows it once. The log goes to standard error, written at once.
  const log = pino({ level: config.logLevel, base: null }, destination({ dest: standardError, sync: true }));
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
  const command = findBackupCommand(process.argv.slice(2));
  if (command) {
    process.stdout.write(`${await command({ config, log, version, nowMs: clock.nowMs() })}\n`);
    return;
  }
  log.info({ version, pid: process.pid, settings: describeConfig(config) }, 'starting');
  rotateLog({
    file: path.join(config.stateDir, 'server.log'),
    descriptor: standardError,
    bytesMax: logBytesMax,
    onError: (error) => log.warn({ err: error }, 'the log cannot be rotated'),
  });
  const stopRequested = listenForSignals(log);
  const started = startServer({
    config,
    log,
    version,
    webFolder: path.join(repository, 'packages/web/dist'),
    startWorker: openWorker(config, log),
    stopRequested,
  });
  const server = await started.catch((error: unknown) => {
    if (!stopRequested.aborted) throw error;
    log.info({ signal: stopRequested.reason, err: error }, 'stopped while it started');
    return null;
  });
  if (server === null) return;
  if (server.newAdminToken !== null) {
    process.stdout.write(
      `Token of the administrator ${config.adminUser}, shown only now:  ${server.newAdminToken}\n`,
    );
  }
  log.info({ url: server.url, elapsed_ms: Math.round(performance.now()) }, 'ready');
  await waitForAbort(stopRequested);
  log.info({ signal: stopRequested.reason }, 'stopping');
  await server.stop();
  log.info('stopped');
}

/** Aborts at the first signal, with its name. A second one ends the process where it stands; the next start takes over from there. */
function listenForSignals(log: Logger): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!stopping.signal.aborted) return stopping.abort(signal);
      log.warn({ signal }, 'stopping at once: what was under way is picked up by the next start');
      process.exit(1);
    });
  }
  return stopping.signal;
}

function waitForAbort(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function openWorker(config: Config, log: Logger) {
  const { backend, slots } = config;
  if (backend === 'none') return null;
  return async ({ source, workerId, dataRoot, spare, hostsFolder }: WorkerWiring) => {
    const problem = findOtherHosts({ backend, hostsFolder, stateFolder: config.stateDir });
    if (problem !== null) throw new StartError(problem);
    const place = { hostsFolder, dataRoot, workerId };
    const opened =
      backend === 'kubernetes' ? await openPods(config, log, place) : openBackendHere(backend, config, place);
    return startWorker({ ...{ source, workerId, dataRoot, spare, clock, log, slots }, backend: opened });
  };
}

async function openPods(
  { stateDir, runtimeDir, kubernetes, hostImage }: Config,
  log: Logger,
  { dataRoot, workerId }: Pick<WorkerWiring, 'dataRoot' | 'workerId'>,
): Promise<HostBackend> {
  const [userId = 0, groupId = 0] = [process.getuid?.(), process.getgid?.()];
  if (userId === 0)
    throw new StartError('HEADRACE_BACKEND=kubernetes: run the server as another user than root; so do Pods');
  // The settings were checked before.
  if (kubernetes === null || hostImage === null) throw new StartError('HEADRACE_KUBERNETES is missing');
  return openKubernetes({
    ...{ dataRoot, workerId, stateFolder: stateDir, user: { userId, groupId } },
    settings: { ...kubernetes, image: hostImage },
    runtime: readRuntime(path.join(runtimeDir, 'runtime.json')),
    warn: (message, error) => log.warn({ err: error }, message),
  });
}

function openBackendHere(
  name: BackendName,
  { runtimeDir, sparkMaster, externalLocations }: Config,
  place: Pick<WorkerWiring, 'hostsFolder' | 'dataRoot' | 'workerId'>,
): HostBackend {
  return openBackend(name, {
    ...{ ...place, clock, sparkMaster, externalLocations },
    environment: inheritedEnvironment(),
    readRuntime: () => readRuntime(path.join(runtimeDir, 'runtime.json')),
  });
}

function readRuntime(file: string): ReturnType<typeof readHostRuntime> {
  try {
    return readHostRuntime(file);
  } catch (cause) {
    throw new StartError(`${file} cannot be read: run "npm run setup" first`, { cause });
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    // What the reader can mend is said in a sentence; anything else comes with where it happened.
    const expected = error instanceof StartError;
    process.stderr.write(
      `headrace: ${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exit(1);
  },
);
