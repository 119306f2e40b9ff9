/** What must hold of this process and its machine: loops, PostgreSQL's process, disk, the runtime that set-up made. */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.ts';
import { isStuck, type LoopDriver } from '../loops/driver.ts';

export interface MachineFinding {
  readonly kind: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly advice: string;
}

export interface MachineSources {
  readonly config: Config;
  readonly loops: LoopDriver;
  /** Null where PostgreSQL is not ours to run. */
  readonly embeddedPid: (() => number | null) | null;
  /** Why sealed secrets cannot be read here; null when they can. */
  readonly findKeyProblem: () => Promise<string | null>;
}

/** Below it PostgreSQL's own log may fill the disk within minutes. */
const freeBytesError = 256 * 1024 ** 2;
const freeBytesWarning = 2 * 1024 ** 3;

export interface MachineRule {
  readonly kind: string;
  find(sources: MachineSources, nowMs: number): Promise<MachineFinding[]>;
}

export const machineRules: readonly MachineRule[] = [
  { kind: 'loop_in_trouble', find: findTroubledLoops },
  { kind: 'postgres_away', find: findMissingPostgres },
  { kind: 'disk_space', find: findFullDisk },
  { kind: 'runtime', find: findBrokenRuntime },
  { kind: 'secrets_key', find: findWrongKey },
];

async function findTroubledLoops({ loops }: MachineSources): Promise<MachineFinding[]> {
  return loops.status().flatMap((loop): MachineFinding[] => {
    const advice = `The server log says more under "loop": "${loop.name}".`;
    if (isStuck(loop)) {
      const message = `Loop '${loop.name}' does not turn any more.`;
      return [
        { kind: 'loop_in_trouble', severity: 'error', message, advice: `${advice} Restart the server.` },
      ];
    }
    if (loop.lastError === null) return [];
    const message = `The last turn of loop '${loop.name}' failed: ${loop.lastError}`;
    return [{ kind: 'loop_in_trouble', severity: 'warning', message, advice }];
  });
}

async function findMissingPostgres({ embeddedPid }: MachineSources): Promise<MachineFinding[]> {
  if (embeddedPid === null || embeddedPid() !== null) return [];
  return [
    {
      kind: 'postgres_away',
      severity: 'error',
      message: 'The embedded PostgreSQL is not running; the server is starting it again.',
      advice: 'If that takes more than a minute, postgres/postgres.log in the state folder says why.',
    },
  ];
}

async function findFullDisk({ config }: MachineSources): Promise<MachineFinding[]> {
  const { bavail, bsize } = await fs.statfs(config.stateDir);
  const freeBytes = bavail * bsize;
  if (freeBytes >= freeBytesWarning) return [];
  const mebibytes = Math.floor(freeBytes / 1024 ** 2);
  return [
    {
      kind: 'disk_space',
      severity: freeBytes < freeBytesError ? 'error' : 'warning',
      message: `The disk of ${config.stateDir} has ${mebibytes} MiB left.`,
      advice: 'Free some space, or keep less: docs/operations.md, "What is kept, and for how long".',
    },
  ];
}

/** Only that it is whole: a start of Python or Java every minute would cost more than it tells. */
async function findBrokenRuntime({ config }: MachineSources): Promise<MachineFinding[]> {
  if (config.backend !== 'local') return [];
  const file = path.join(config.runtimeDir, 'runtime.json');
  const problem = await findMissingProgram(file);
  if (problem === null) return [];
  const advice = 'Run `npm run setup` in the checkout, then restart the server.';
  return [{ kind: 'runtime', severity: 'error', message: problem, advice }];
}

async function findWrongKey({ findKeyProblem }: MachineSources): Promise<MachineFinding[]> {
  const problem = await findKeyProblem();
  if (problem === null) return [];
  const advice = 'docs/secrets.md, "How they are kept"; the right file counts without a restart.';
  return [{ kind: 'secrets_key', severity: 'error', message: `${problem}.`, advice }];
}

async function findMissingProgram(file: string): Promise<string | null> {
  let runtime: Record<string, unknown>;
  try {
    runtime = JSON.parse(await fs.readFile(file, 'utf8'));
  } catch {
    return `${file} cannot be read: tasks cannot start.`;
  }
  for (const name of ['python', 'java']) {
    const program = runtime[name];
    if (typeof program !== 'string') continue;
    try {
      await fs.access(program, fs.constants.X_OK);
    } catch {
      return `${program}, which ${file} names as ${name}, cannot be executed.`;
    }
  }
  return null;
}
