/**
 * What it costs that 2,000 attempts run and nothing happens to them: CPU time of the server and of PostgreSQL with
 * them, less that without them. Once with the worker in the server's process, once with workers over HTTP.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type AttemptRef, createFakeBackend } from '@headrace/worker';
import type { WorkerWiring } from '../../packages/server/src/start-server.ts';
import {
  type BenchServer,
  clock,
  type StartBenchWorker,
  startBenchServer,
  whenEnded,
  workerOver,
} from './bench-server.ts';
import { readTreeCpuMs } from './process-cost.ts';
import { startRemoteWorkers } from './remote-workers.ts';
import { hangingTasks } from './sample-jobs.ts';
import { type Figure, inMs, median, printFigure, printRow } from './statistics.ts';

const runs = 20;
const tasksPerRun = 100;
const attempts = runs * tasksPerRun;
const turns = 3;
/** What claiming or cancelling them leaves to collect and to vacuum is no heartbeat. */
const settleMs = 5_000;
/** Four heartbeats of each worker. */
const watchMs = 20_000;
const shareMax = 3;
const remoteWorkers = 8;
const remoteSlots = attempts / remoteWorkers;
const startPollMs = 50;
const beats = 100;

interface Costs {
  readonly server: number;
  readonly postgres: number;
}

export async function benchHeartbeats(): Promise<void> {
  if (process.platform !== 'linux') return console.log('skipped: needs the /proc of Linux');
  const local = workerOver(attempts, () => createFakeBackend({ clock }));
  const own = Promise.withResolvers<WorkerWiring>();
  const start: StartBenchWorker = (wiring, log) => {
    own.resolve(wiring);
    return local(wiring, log);
  };
  await benchWorkers('in the server', { slots: attempts, start }, async () => async () => {}, own.promise);
  const none: StartBenchWorker = async () => ({ stop: async () => {} });
  await benchWorkers(`${remoteWorkers} over HTTP`, { slots: 1, start: none }, (bench) =>
    startRemoteWorkers(bench, { count: remoteWorkers, slots: remoteSlots }),
  );
}

async function benchWorkers(
  what: string,
  worker: Parameters<typeof startBenchServer>[0],
  startElsewhere: (bench: BenchServer) => Promise<() => Promise<void>>,
  own: Promise<WorkerWiring> | null = null,
): Promise<void> {
  const bench = await startBenchServer(worker);
  try {
    const stopElsewhere = await startElsewhere(bench);
    try {
      await watchTurns(what, bench);
      if (own) await timeBeats(bench, await own);
    } finally {
      await stopElsewhere();
    }
  } finally {
    await bench.stop();
  }
}

async function watchTurns(what: string, bench: BenchServer): Promise<void> {
  const idle: Costs[] = [];
  const added: Costs[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const without = await watch(bench);
    const cancel = await startAttempts(bench);
    const under = await watch(bench);
    await cancel();
    idle.push(without);
    added.push({ server: under.server - without.server, postgres: under.postgres - without.postgres });
  }
  const of = (shares: readonly Costs[], part: keyof Costs) => median(shares.map((each) => each[part]));
  const inShare: Figure['inUnits'] = (share) => `${share.toFixed(1)} %`;
  printRow(`workers ${what}: idle server`, inShare(of(idle, 'server')), 'of a core');
  printRow(`workers ${what}: idle PostgreSQL`, inShare(of(idle, 'postgres')), 'of a core');
  printRow(`${attempts} running attempts add to PostgreSQL`, inShare(of(added, 'postgres')), '');
  printFigure({
    what: `${attempts} running attempts add to the server`,
    value: of(added, 'server'),
    target: shareMax,
    inUnits: inShare,
  });
  printFigure({
    what: `${attempts} running attempts add to both`,
    value: median(added.map(({ server, postgres }) => server + postgres)),
    target: shareMax,
    inUnits: inShare,
  });
}

/** One heartbeat after the other: a difference of two small shares says little on a busy machine. */
async function timeBeats(bench: BenchServer, { source, workerId }: WorkerWiring): Promise<void> {
  const cancel = await startAttempts(bench);
  const held = await bench.server.services.db.query<AttemptRef>({
    name: 'bench-list-held',
    text: `select attempt_id as "attemptId", epoch from task_runs where state = 'running'`,
    values: [],
  });
  const { signal } = new AbortController();
  const beat = () => source.heartbeat({ workerId, held, waitMs: 0, signal });
  await beat();
  const cpuMs = await measureCpu(bench, async () => {
    for (let count = 0; count < beats; count++) await beat();
  });
  printRow(`a heartbeat of ${attempts}: CPU of the server`, inMs(cpuMs.server / beats), 'one every 5 s');
  printRow(`a heartbeat of ${attempts}: CPU of PostgreSQL`, inMs(cpuMs.postgres / beats), 'one every 5 s');
  await cancel();
}

async function watch(bench: BenchServer): Promise<Costs> {
  await delay(settleMs);
  const startedAt = performance.now();
  const { server, postgres } = await measureCpu(bench, () => delay(watchMs));
  const percent = (cpuMs: number) => (cpuMs / (performance.now() - startedAt)) * 100;
  return { server: percent(server), postgres: percent(postgres) };
}

/** Milliseconds of CPU time; this process is the server, and does nothing else. */
async function measureCpu({ server }: BenchServer, work: () => Promise<unknown>): Promise<Costs> {
  const postgresPid = readPostgresPid(server.services.config.stateDir);
  const usage = process.cpuUsage();
  const postgresMs = readTreeCpuMs(postgresPid);
  await work();
  const { user, system } = process.cpuUsage(usage);
  return { server: (user + system) / 1000, postgres: readTreeCpuMs(postgresPid) - postgresMs };
}

/** All of them run when it resolves; what it resolves with ends them. */
async function startAttempts({ client, server }: BenchServer): Promise<() => Promise<void>> {
  const submit = () => client.runsSubmit({ run_name: 'bench', tasks: hangingTasks(tasksPerRun) });
  const runIds = await Promise.all(Array.from({ length: runs }, async () => (await submit()).run_id));
  const { db } = server.services;
  const countRunning = {
    name: 'bench-count-running',
    text: `select 1 from task_runs where state = 'running'`,
  };
  while ((await db.query({ ...countRunning, values: [] })).length < attempts) await delay(startPollMs);
  return async () => {
    const ends = runIds.map((runId) => whenEnded(server, runId));
    await Promise.all(runIds.map((run_id) => client.runsCancel({ run_id })));
    await Promise.all(ends);
  };
}

function readPostgresPid(stateDir: string): number {
  const [pid] = fs.readFileSync(path.join(stateDir, 'postgres/data/postmaster.pid'), 'utf8').split('\n');
  return Number(pid);
}
