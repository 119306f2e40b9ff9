/** How soon a task has Spark: on a warm host, on a cluster of its own, and on a host that waited in a pool. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@headrace/api';
import { readRuntime, timeBareForks, timeBarePythons, timeBareSpark } from './baselines.ts';
import { findDrivers, type InstalledServer, withInstalledServer } from './installed-server.ts';
import { readDemandMs } from './process-cost.ts';
import { prepareSparkTasks, type SparkTasks, type ToldTiming } from './spark-tasks.ts';
import { asRatio, inMs, median, printFigure, printRow, repeat } from './statistics.ts';

const counts = 9;
const warmUps = 3;
const baselines = 10;
const coldTurns = 3;
const countMax = 900;
const coldRatioMax = 0.7;
const firstWriteMax = 1_500;
const spareWaitMs = 300_000;
/** A driver that wants less of a processor than this has warmed itself up. */
const quietShare = 0.15;
const quietMs = 2_000;

/** The first count of a task, a process and a session of its own, on a host whose JVM is warm. */
export function benchSpark(): Promise<void> {
  return withSparkTasks((_server, tasks) => benchWarmCounts(tasks));
}

/** Each beside a session with Delta as Spark itself starts it. */
export function benchSparkCold(): Promise<void> {
  return withSparkTasks((_server, tasks) => benchColdClusters(tasks));
}

/** On hosts that wait in a pool. */
export async function benchSparkSpare(): Promise<void> {
  if (process.platform !== 'linux') return console.log('skipped: needs the /proc of Linux');
  await withSparkTasks(benchSpareHosts);
}

function withSparkTasks(use: (server: InstalledServer, tasks: SparkTasks) => Promise<void>): Promise<void> {
  return withInstalledServer(async (server) => {
    await server.up();
    await use(server, await prepareSparkTasks(server));
  });
}

async function benchWarmCounts(tasks: SparkTasks): Promise<void> {
  const runtime = readRuntime();
  const cold = await tasks.run('count');
  await repeat(warmUps, async () => (await tasks.run('count')).lineMs);
  const timings: ToldTiming[] = [];
  const pythons: number[] = [];
  const forks: number[] = [];
  for (let turn = 0; turn < counts; turn++) {
    timings.push(await tasks.run('count'));
    pythons.push(timeBarePythons(runtime, baselines) / baselines);
    forks.push(timeBareForks(runtime, baselines) / baselines);
  }
  const value = median(timings.map(({ lineMs }) => lineMs));
  const floor = { value: median(pythons), name: 'a bare Python' };
  printRow('one bare `python -I -S -c pass`', inMs(floor.value), '');
  printRow('one bare fork of a zygote', inMs(median(forks)), '');
  printRow('first count of a host (starts the JVM), line', inMs(cold.lineMs), '');
  const what = 'first count on a warm host, request to line';
  printFigure({ what, value, target: countMax, inUnits: inMs, floor });
  printRow('the same, request to end', inMs(median(timings.map(({ endMs }) => endMs))), '');
}

async function benchColdClusters(tasks: SparkTasks): Promise<void> {
  const runtime = readRuntime();
  const bares: number[] = [];
  const colds: number[] = [];
  for (let turn = 0; turn < coldTurns; turn++) {
    const bareMs = timeBareSpark(runtime);
    if (bareMs === null) return printRow('cold job cluster', 'skipped', 'this Java starts no plain Spark');
    bares.push(bareMs);
    colds.push((await tasks.run('count', { num_workers: 0 })).lineMs);
  }
  printRow('bare SparkSession with Delta, start to first count', inMs(median(bares)), '');
  printRow('job cluster, request to first count', inMs(median(colds)), '');
  const value = median(colds.map((coldMs, turn) => coldMs / (bares[turn] ?? Number.NaN)));
  const ratio = { value, target: coldRatioMax, inUnits: asRatio };
  printFigure({ what: 'job cluster against bare SparkSession', ...ratio });
}

async function benchSpareHosts(server: InstalledServer, tasks: SparkTasks): Promise<void> {
  const pool = { instance_pool_name: 'bench', node_type_id: 'i3.xlarge', min_idle_instances: 1 };
  const { instance_pool_id } = await tasks.client.instancePoolsCreate(pool);
  /** Drivers that a cluster has had: one of those ends a while after its run. */
  const taken = new Set<number>();
  const writes: ToldTiming[] = [];
  const counted: ToldTiming[] = [];
  for (let turn = 0; turn < coldTurns; turn++) {
    for (const [script, timings] of [['write', writes] as const, ['count', counted] as const]) {
      taken.add(await awaitSpare(server, { client: tasks.client, instance_pool_id, taken }));
      timings.push(await tasks.run(script, { instance_pool_id, num_workers: 0 }));
    }
  }
  const count = median(counted.map(({ lineMs }) => lineMs));
  printRow('count on a spare host, request to line', inMs(count), '');
  const value = median(writes.map((write) => write.value));
  const what = 'first Delta write on a spare host';
  printFigure({ what, value, target: firstWriteMax, inUnits: inMs });
  printRow('the same, request to line', inMs(median(writes.map(({ lineMs }) => lineMs))), '');
}

/** Until a host waits whose driver has nothing left to do, and no other driver is there. */
async function awaitSpare(
  server: InstalledServer,
  {
    client,
    instance_pool_id,
    taken,
  }: { client: Client; instance_pool_id: string; taken: ReadonlySet<number> },
): Promise<number> {
  const deadline = performance.now() + spareWaitMs;
  for (;;) {
    if (performance.now() > deadline) throw new Error('no host of the pool gets ready');
    const drivers = findDrivers(server);
    const { stats } = await client.instancePoolsGet({ instance_pool_id });
    const pid = drivers[0]?.pid ?? 0;
    const before = readDemandMs(pid);
    await delay(quietMs);
    const after = readDemandMs(pid);
    const isNew = drivers.length === 1 && !taken.has(pid);
    if (stats.idle_count === 1 && isNew && (after - before) / quietMs < quietShare) return pid;
  }
}
