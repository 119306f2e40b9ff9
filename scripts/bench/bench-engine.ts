/** The engine alone: real PostgreSQL, real HTTP, hosts in memory. What is left is deciding, saving and claiming. */
import { createFakeBackend } from '@headrace/worker';
import {
  type BenchServer,
  clock,
  meanOf,
  measureFloor,
  printFloor,
  type StartBenchWorker,
  startBenchServer,
  workerOver,
} from './bench-server.ts';
import { chainOf, fanOf, type SampleTasks } from './sample-jobs.ts';
import { countStatements, type StatementCounts } from './statement-counts.ts';
import { asCount, inMs, median, percentile, printFigure, printRow, repeat } from './statistics.ts';

const chainLength = 40;
const fanWidth = 100;
const runsAtOnce = 50;
const claims = 100;

export async function benchEngine(): Promise<void> {
  const counts = countStatements();
  const claimedAt = new Map<number, number>();
  const start = noteClaims(
    workerOver(128, () => createFakeBackend({ clock })),
    claimedAt,
  );
  const bench = await startBenchServer({ slots: 128, start });
  try {
    const chain = () => bench.timeToEnd(() => submit(bench, chainOf(chainLength)));
    const fan = () => bench.timeToEnd(() => submit(bench, fanOf(fanWidth)));
    const many = () => bench.timeToEnd(() => submitMany(bench, runsAtOnce));
    await repeat(20, chain);
    await repeat(3, fan);

    const before = await measureFloor(bench);
    const chainMs = median(await repeat(15, chain));
    const fanMs = median(await repeat(10, fan));
    const manyMs = median(await repeat(10, many));
    const claimMs = await timeClaims(bench, claimedAt);
    const floor = meanOf(before, await measureFloor(bench));
    printFloor(floor);
    const { fdatasyncMs, roundTripMs } = floor;
    const commitMs = fdatasyncMs + roundTripMs;
    const floorOf = (commits: number) => ({ value: commits * commitMs, name: `${commits} bare commits` });
    printFigure({
      what: `chain of ${chainLength}`,
      value: chainMs,
      target: 120 + (chainLength + 1) * fdatasyncMs,
      inUnits: inMs,
      floor: floorOf(chainLength + 1),
    });
    printFigure({
      what: `root, ${fanWidth} in parallel, join`,
      value: fanMs,
      target: 250,
      inUnits: inMs,
      floor: floorOf(4),
    });
    printFigure({
      what: `${runsAtOnce} runs of one task at once`,
      value: manyMs,
      target: 200,
      inUnits: inMs,
      floor: floorOf(2),
    });
    printFigure({
      what: 'run-now to attempt claimed, p50',
      value: median(claimMs),
      target: 3 + fdatasyncMs,
      inUnits: inMs,
      floor: floorOf(1),
    });
    printRow('run-now to attempt claimed, p99', inMs(percentile(claimMs, 0.99)), '');
    await count(bench, counts);
  } finally {
    await bench.stop();
  }
}

async function submit(bench: BenchServer, tasks: SampleTasks): Promise<number[]> {
  return [(await bench.client.runsSubmit({ run_name: 'bench', tasks })).run_id];
}

async function submitMany(bench: BenchServer, runs: number): Promise<number[]> {
  return (await Promise.all(Array.from({ length: runs }, () => submit(bench, chainOf(1))))).flat();
}

/** Notes when a worker holds an attempt of a run for the first time: its claim is durable then. */
function noteClaims(start: StartBenchWorker, claimedAt: Map<number, number>): StartBenchWorker {
  return (wiring, log) => {
    const { source } = wiring;
    const claim: typeof source.claim = async (request) => {
      const attempts = await source.claim(request);
      for (const { runId } of attempts) if (!claimedAt.has(runId)) claimedAt.set(runId, performance.now());
      return attempts;
    };
    return start({ ...wiring, source: { ...source, claim } }, log);
  };
}

async function timeClaims({ client, timeToEnd }: BenchServer, claimedAt: Map<number, number>) {
  const { job_id } = await client.jobsCreate({ name: 'bench', tasks: chainOf(1) });
  return repeat(claims, async () => {
    const startedAt = performance.now();
    let runId = 0;
    await timeToEnd(async () => {
      runId = (await client.jobsRunNow({ job_id })).run_id;
      return [runId];
    });
    return (claimedAt.get(runId) ?? Number.NaN) - startedAt;
  });
}

const countedChains = 3;

/** The median of several: once a second a batch also looks for attempts that another server queued. */
async function count(bench: BenchServer, counts: StatementCounts): Promise<void> {
  const saves: number[] = [];
  const roundTrips: number[] = [];
  for (let turn = 0; turn < countedChains; turn++) {
    counts.reset();
    await bench.timeToEnd(() => submit(bench, chainOf(chainLength)));
    const saved = counts.count('runs-save-batch');
    const read =
      counts.count('runs-load') + counts.count('runs-read-places') + counts.count('runs-find-queued');
    saves.push(saved);
    roundTrips.push((saved + read) / saved);
  }
  const what = `commits for a chain of ${chainLength}`;
  printFigure({ what, value: median(saves), target: chainLength + 1, inUnits: asCount });
  printFigure({ what: 'round trips for a batch', value: median(roundTrips), target: 1, inUnits: asCount });
}
