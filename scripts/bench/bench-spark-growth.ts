/** What one host gathers between its 200th and its 1,000th task: nothing that grows may be left of a task. */
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { findDrivers, type InstalledServer, withInstalledServer } from './installed-server.ts';
import { type Holdings, readHoldings } from './process-cost.ts';
import { prepareSparkTasks, type SparkTasks } from './spark-tasks.ts';
import { asCount, inMegabytes, printFigure, printRow, repeat } from './statistics.ts';

const tasksOfRun = 50;
const firstLook = 200;
const lastLook = 1_000;
/** One in so many uses Spark. */
const sparkEach = 10;
const sharesMax = 1.05;
const countsMax = 5;
const heapLooks = 3;
/** Spark's own pools keep an idle thread for 60 s, and each keeps the session of the task that made it begin. */
const settleMs = 75_000;

const parts = ['host', 'zygote', 'driver'] as const;
type Part = (typeof parts)[number];

interface Look {
  readonly heapBytes: number;
  readonly of: Readonly<Record<Part, Holdings>>;
}

export async function benchSparkGrowth(): Promise<void> {
  if (process.platform !== 'linux') return console.log('skipped: needs the /proc of Linux');
  await withInstalledServer(async (server) => {
    await server.up();
    const tasks = await prepareSparkTasks(server);
    await runUntil(tasks, 0, firstLook);
    const before = await look(server, tasks);
    await runUntil(tasks, firstLook, lastLook);
    const after = await look(server, tasks);
    printRow(`tasks, one in ${sparkEach} of them with Spark`, `${firstLook} to ${lastLook}`, '');
    printBytes('heap of the driver after a collection', before.heapBytes, after.heapBytes);
    for (const part of parts) {
      const [from, to] = [before.of[part], after.of[part]];
      // What the driver's JVM takes beside its heap is its own affair, and it does not give back what it has taken.
      if (part !== 'driver') printBytes(`memory of the ${part}, private`, from.bytes, to.bytes);
      else
        printRow('memory of the driver, private', inMegabytes(to.bytes), `from ${inMegabytes(from.bytes)}`);
      printCount(`open files of the ${part}`, from.files, to.files);
      printCount(`threads of the ${part}`, from.threads, to.threads);
    }
    printCount(
      'sockets of the driver that wait for connections',
      before.of.driver.listeners,
      after.of.driver.listeners,
    );
  });
}

async function runUntil(tasks: SparkTasks, from: number, to: number): Promise<void> {
  for (let done = from; done < to; done += tasksOfRun)
    await tasks.runMany({ count: Math.min(tasksOfRun, to - done), each: sparkEach });
}

async function look(server: InstalledServer, tasks: SparkTasks): Promise<Look> {
  await delay(settleMs);
  const found = server.findProcesses();
  const pidOf = (name: string) => found.filter(({ command }) => command.includes(name)).map(({ pid }) => pid);
  const [host, driver] = [pidOf('headrace_runtime.host')[0] ?? 0, findDrivers(server)[0]?.pid ?? 0];
  // Its children have the same command line and another parent.
  const zygote = pidOf('headrace_runtime.zygote').find((pid) => parentOf(pid) === host) ?? 0;
  const of = { host: readHoldings(host), zygote: readHoldings(zygote), driver: readHoldings(driver) };
  // Last: these are tasks themselves, and have Spark begin threads.
  const heaps = await repeat(heapLooks, async () => (await tasks.run('heap')).value);
  return { heapBytes: Math.min(...heaps), of };
}

function parentOf(pid: number): number {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function printBytes(what: string, from: number, to: number): void {
  const target = from * sharesMax;
  printFigure({
    what,
    value: to,
    target,
    inUnits: inMegabytes,
    floor: { value: from, name: inMegabytes(from) },
  });
}

function printCount(what: string, from: number, to: number): void {
  printFigure({
    what: `${what}, more than the ${from} before`,
    value: to - from,
    target: countsMax,
    inUnits: asCount,
  });
}
