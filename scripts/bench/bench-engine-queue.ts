/** Many queued runs of one job: what admitting one costs, and how long it takes to cancel them all. */
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchServer, measureFloor, printFloor, startBenchServer } from './bench-server.ts';
import { DirectWorker } from './direct-worker.ts';
import { chainOf } from './sample-jobs.ts';
import { asRatio, inMs, median, percentile, printFigure, printRow, timed } from './statistics.ts';

const few = 100;
const many = 10_000;
/** Runs let through at each length of the queue. */
const admitted = 80;
/** Requests under way at a time while the queue is filled. */
const fillersAtOnce = 200;
const cancelMax = 2_000;
/** What admitting one of many may cost, against one of few: the same but for noise. */
const growthMax = 1.5;

export async function benchEngineQueue(): Promise<void> {
  const worker = new DirectWorker(4);
  const bench = await startBenchServer(worker);
  try {
    await timeAdmissions(bench, worker, few); // compiles
    printFloor(await measureFloor(bench));
    const short = await timeAdmissions(bench, worker, few);
    printRow(`a run from end to next end, ${few} queued, p50`, inMs(median(short)), '');
    const long = await timeAdmissions(bench, worker, many);
    printRow(`a run from end to next end, ${many} queued, p50`, inMs(median(long)), '');
    printRow(`a run from end to next end, ${many} queued, p99`, inMs(percentile(long, 0.99)), '');
    printFigure({
      what: 'admitting: many queued against few',
      value: median(long) / median(short),
      target: growthMax,
      inUnits: asRatio,
    });
  } finally {
    await bench.stop();
  }
}

/** A job with one place: each run that ends lets the next one in. Afterwards all are cancelled. */
async function timeAdmissions(bench: BenchServer, worker: DirectWorker, queued: number): Promise<number[]> {
  const { client } = bench;
  const { job_id } = await client.jobsCreate({
    name: `bench ${queued}`,
    max_concurrent_runs: 1,
    queue: { enabled: true },
    tasks: chainOf(1),
  });
  worker.setReporting(false);
  const fillMs = await timed(() => fill(queued, () => client.jobsRunNow({ job_id })));
  worker.latencies = [];
  worker.endedAt = [];
  worker.setReporting(true);
  while (worker.endedAt.length <= admitted) await delay(5);
  worker.setReporting(false);
  const { endedAt } = worker;
  const left = await countActive(bench, job_id);
  const cancelMs = await timed(() => client.runsCancelAll({ job_id }));
  const alive = await countActive(bench, job_id);
  // The one that the worker holds ends when its stop is proven.
  if (alive > 1) throw new Error(`${alive} of ${left} runs are active after cancel-all`);
  worker.setReporting(true);
  if (queued === many) {
    printRow(`run-now of ${queued}, ${fillersAtOnce} at a time, each`, inMs(fillMs / queued), '');
    printFigure({ what: `cancel-all of ${left}`, value: cancelMs, target: cancelMax, inUnits: inMs });
  }
  while ((await countActive(bench, job_id)) > 0) await delay(5);
  return endedAt.slice(1, admitted).map((at, index) => at - (endedAt[index] ?? at));
}

async function fill(count: number, add: () => Promise<unknown>): Promise<void> {
  let begun = 0;
  const work = async () => {
    while (begun < count) {
      begun += 1;
      await add();
    }
  };
  await Promise.all(Array.from({ length: fillersAtOnce }, work));
}

async function countActive({ server }: BenchServer, jobId: number): Promise<number> {
  const rows = await server.services.db.query<{ count: number }>({
    name: 'bench-count-active',
    text: `select count(*) from runs where job_id = $1 and phase <> 'ended'`,
    values: [jobId],
  });
  return rows[0]?.count ?? 0;
}
