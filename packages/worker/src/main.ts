/** The process of a worker on its own: reads the settings, composes the parts, drains on SIGTERM. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import type { HostBackend } from './hosts/host-backend.ts';
import { readHostRuntime } from './hosts/local/local-backend.ts';
import { openBackend } from './hosts/open-backend.ts';
import type { ServerPlace } from './remote/data-root.ts';
import { createJsonLog } from './remote/json-log.ts';
import { DrainedEarly, runRemoteWorker } from './remote/run-remote-worker.ts';
import { type RemoteWorkerSettings, readRemoteSettings, SettingsError } from './remote/settings.ts';
import { openWorkerState, type WorkerState, WorkerStateError } from './remote/worker-state.ts';

const clock = { nowMs: () => Date.now() };
/** As the command line uses them. */
const exitCodes = { failed: 1, usage: 2, denied: 4 } as const;

/** What the reader can mend, in a sentence. */
class StartError extends Error {}

async function main(): Promise<number> {
  const settings = readRemoteSettings(process.env, (file) => fs.readFileSync(file, 'utf8'));
  const log = createJsonLog({
    write: (line) => void process.stderr.write(line),
    clock,
    least: process.env.HEADRACE_LOG_LEVEL === 'debug' ? 'debug' : 'info',
  });
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
  // First: whoever finds this process in its state folder may signal it.
  const { drain, leave } = listenForSignals();
  const state = openWorkerState(settings.stateDir, settings.workerId);
  const end = await runRemoteWorker({
    ...{ settings, state, version, log, clock, drain, leave },
    random: Math.random,
    openBackend: (place) => openBackendHere(settings, state, place),
    say: (sentence) => void process.stdout.write(`${sentence}\n`),
  });
  state.release();
  if (end.kind === 'refused') throw end.error;
  const told = {
    signed_off: 'signed off',
    left: `left; running there: ${end.kind === 'left' ? end.running : 0}`,
  };
  process.stdout.write(`worker ${state.workerId} ${told[end.kind]}\n`);
  return 0;
}

/** The first signal drains, the second leaves at once. */
function listenForSignals(): { drain: AbortSignal; leave: AbortSignal } {
  const drain = new AbortController();
  const leave = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => (drain.signal.aborted ? leave : drain).abort());
  }
  return { drain: drain.signal, leave: leave.signal };
}

function openBackendHere(
  { backend, runtimeDir, sparkMaster }: RemoteWorkerSettings,
  { hostsFolder, workerId }: WorkerState,
  place: ServerPlace,
): HostBackend {
  return openBackend(backend, {
    ...{ ...place, clock, hostsFolder, workerId, sparkMaster },
    environment: process.env,
    readRuntime: () => readRuntime(path.join(runtimeDir, 'runtime.json')),
  });
}

function readRuntime(file: string): ReturnType<typeof readHostRuntime> {
  try {
    return readHostRuntime(file);
  } catch (cause) {
    throw new StartError(`${file} cannot be read: run "npm run setup" on this machine first`, { cause });
  }
}

function explain(error: unknown): { code: number; text: string } {
  if (error instanceof DrainedEarly) return { code: 0, text: error.message };
  if (error instanceof SettingsError) return { code: exitCodes.usage, text: error.message };
  if (error instanceof StartError || error instanceof WorkerStateError)
    return { code: exitCodes.failed, text: error.message };
  if (error instanceof ApiError) {
    const isDenied = error.status === 401 || error.status === 403;
    const cure = isDenied ? ': give it a token that `headrace workers create-token` made' : '';
    return {
      code: isDenied ? exitCodes.denied : exitCodes.failed,
      text: `the server refuses this worker: ${error.message}${cure}`,
    };
  }
  return { code: exitCodes.failed, text: error instanceof Error ? (error.stack ?? '') : String(error) };
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const { code, text } = explain(error);
    process.stderr.write(`headrace worker: ${text}\n`);
    process.exit(code);
  },
);
