/** What a worker on its own is told by its environment. All problems are told at once. */
import path from 'node:path';
import { parseWorkerLabels, type WorkerLabels } from '@headrace/api';
import { type BackendName, backendNames } from '../hosts/open-backend.ts';
import { checkMaster } from '../hosts/spark-standalone/reach-master.ts';

export interface RemoteWorkerSettings {
  readonly servers: readonly string[];
  readonly token: string;
  readonly tokenFile: string | null;
  readonly workerId: string | null;
  readonly labels: WorkerLabels;
  readonly slots: number;
  readonly dataRoot: string | null;
  readonly stateDir: string;
  readonly runtimeDir: string;
  readonly backend: BackendName;
  readonly sparkMaster: string | null;
  readonly drainMs: number;
  readonly stopGraceMs: number;
}

export class SettingsError extends Error {}

/** As people give them. */
const options: Readonly<Record<string, string>> = {
  HEADRACE_SERVER: '--server',
  HEADRACE_TOKEN: '--token-file',
  HEADRACE_TOKEN_FILE: '--token-file',
  HEADRACE_WORKER_LABELS: '--labels',
  HEADRACE_SLOTS: '--slots',
  HEADRACE_DRAIN_MS: '--drain-seconds',
  HEADRACE_STATE_DIR: '--state-dir',
};
const slotsMax = 256;
const daysMs = 24 * 60 * 60 * 1000;

export function readRemoteSettings(
  environment: Readonly<Record<string, string | undefined>>,
  readFile: (file: string) => string,
): RemoteWorkerSettings {
  const problems: string[] = [];
  const text = (name: string) => environment[name] || null;
  const number = (name: string, range: { min: number; max: number; otherwise: number }) => {
    const value = Number(text(name) ?? range.otherwise);
    if (Number.isInteger(value) && value >= range.min && value <= range.max) return value;
    problems.push(`${name}: expected a whole number from ${range.min} to ${range.max}`);
    return range.otherwise;
  };
  const required = (name: string, what: string) => {
    const value = text(name);
    if (value === null) problems.push(`${name}: ${what} is missing`);
    return value ?? '';
  };
  const tokenFile = text('HEADRACE_TOKEN_FILE');
  const settings: RemoteWorkerSettings = {
    servers: readServers(required('HEADRACE_SERVER', 'the address of the server'), problems),
    tokenFile,
    token: readToken({ token: text('HEADRACE_TOKEN'), tokenFile, readFile }, problems),
    workerId: text('HEADRACE_WORKER_ID'),
    labels: readLabels(text('HEADRACE_WORKER_LABELS') ?? '', problems),
    slots: number('HEADRACE_SLOTS', { min: 1, max: slotsMax, otherwise: 8 }),
    dataRoot: resolveOrNull(text('HEADRACE_DATA_ROOT')),
    stateDir: path.resolve(required('HEADRACE_STATE_DIR', 'the state folder')),
    runtimeDir: path.resolve(required('HEADRACE_RUNTIME_DIR', 'the folder that set-up made')),
    backend: readBackend(text('HEADRACE_BACKEND') ?? 'local', problems),
    sparkMaster: text('HEADRACE_SPARK_MASTER'),
    drainMs: number('HEADRACE_DRAIN_MS', { min: 0, max: daysMs, otherwise: 600_000 }),
    stopGraceMs: number('HEADRACE_STOP_GRACE_MS', { min: 0, max: 600_000, otherwise: 10_000 }),
  };
  problems.push(...checkMaster(settings.backend, settings.sparkMaster));
  if (problems.length > 0) throw new SettingsError(problems.map(nameOption).join('\n'));
  return settings;
}

function nameOption(problem: string): string {
  const name = problem.slice(0, problem.indexOf(':'));
  const option = options[name];
  return option === undefined ? problem : `${option} (${name})${problem.slice(name.length)}`;
}

function readServers(text: string, problems: string[]): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((part) => {
      const url = URL.parse(part);
      if (url !== null && /^https?:$/.test(url.protocol)) return [url.origin];
      problems.push(`HEADRACE_SERVER: ${part} is no address; write it like https://headrace.example:8080`);
      return [];
    });
}

function readToken(
  {
    token,
    tokenFile,
    readFile,
  }: { token: string | null; tokenFile: string | null; readFile: (file: string) => string },
  problems: string[],
): string {
  if (token !== null) return token;
  if (tokenFile === null) {
    problems.push(
      'HEADRACE_TOKEN: a token of a worker is missing; an administrator makes one with `headrace workers create-token`',
    );
    return '';
  }
  try {
    const content = readFile(tokenFile).trim();
    if (content === '') problems.push(`HEADRACE_TOKEN_FILE: ${tokenFile} is empty`);
    return content;
  } catch (error) {
    problems.push(`HEADRACE_TOKEN_FILE: ${error instanceof Error ? error.message : String(error)}`);
    return '';
  }
}

function readLabels(text: string, problems: string[]): WorkerLabels {
  const parsed = parseWorkerLabels(text);
  if ('labels' in parsed) return parsed.labels;
  problems.push(...parsed.problems.map((problem) => `HEADRACE_WORKER_LABELS: ${problem}`));
  return {};
}

function readBackend(text: string, problems: string[]): BackendName {
  const name = backendNames.find((known) => known === text);
  if (name === undefined)
    problems.push(`HEADRACE_BACKEND: ${text} is unknown; one of ${backendNames.join(', ')}`);
  return name ?? 'local';
}

function resolveOrNull(folder: string | null): string | null {
  return folder === null ? null : path.resolve(folder);
}
