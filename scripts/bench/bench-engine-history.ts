/** Beside a million ended runs: lists stay quick, and what runs is not slowed down. */
import { createFakeBackend } from '@headrace/worker';
import {
  type BenchServer,
  clock,
  measureFloor,
  printFloor,
  startBenchServer,
  workerOver,
} from './bench-server.ts';
import { fillHistory, historyJobs, historyRuns } from './ended-runs.ts';
import { chainOf, type SampleTasks } from './sample-jobs.ts';
import { asRatio, inMs, median, percentile, printFigure, printRow, repeat, timed } from './statistics.ts';

const slots = 128;
const chainLength = 40;
const runsAtOnce = 50;
const listMax = 20;
const warmUps = 8;
const turns = 25;
const lists = 200;
const pageSize = 24;
const slowdownMax = 1.2;

export async function benchEngineHistory(): Promise<void> {
  await withServer(async (empty) => {
    await withServer(async (full) => {
      const fillMs = await timed(() => fillHistory(full.server));
      printRow(`adding ${historyRuns} ended runs`, inMs(fillMs), '');
      printFloor(await measureFloor(full));
      await compare(`chain of ${chainLength}`, timeChain, { empty, full });
      await compare(`${runsAtOnce} runs of one task at once`, timeMany, { empty, full });
      await benchLists(full);
    });
  });
}

async function withServer(use: (bench: BenchServer) => Promise<void>): Promise<void> {
  const start = workerOver(slots, () => createFakeBackend({ clock }));
  const bench = await startBenchServer({ slots, start });
  try {
    await use(bench);
  } finally {
    await bench.stop();
  }
}

async function submit({ client }: BenchServer, tasks: SampleTasks): Promise<number[]> {
  return [(await client.runsSubmit({ run_name: 'bench', tasks })).run_id];
}

function timeChain(bench: BenchServer): Promise<number> {
  return bench.timeToEnd(() => submit(bench, chainOf(chainLength)));
}

function timeMany(bench: BenchServer): Promise<number> {
  return bench.timeToEnd(async () =>
    (await Promise.all(Array.from({ length: runsAtOnce }, () => submit(bench, chainOf(1))))).flat(),
  );
}

/** Turn by turn: the load of a shared machine then meets both alike. */
async function compare(
  what: string,
  measure: (bench: BenchServer) => Promise<number>,
  { empty, full }: { empty: BenchServer; full: BenchServer },
): Promise<void> {
  const emptyMs: number[] = [];
  const fullMs: number[] = [];
  for (let turn = -warmUps; turn < turns; turn++) {
    const [without, beside] = [await measure(empty), await measure(full)];
    if (turn < 0) continue;
    emptyMs.push(without);
    fullMs.push(beside);
  }
  printRow(`${what}, without them`, inMs(median(emptyMs)), '');
  printRow(`${what}, with them`, inMs(median(fullMs)), '');
  const slowdowns = fullMs.map((ms, turn) => ms / (emptyMs[turn] ?? Number.NaN));
  const value = median(slowdowns);
  printFigure({ what: `${what}, with against without`, value, target: slowdownMax, inUnits: asRatio });
}

async function benchLists(bench: BenchServer): Promise<void> {
  const { client } = bench;
  const bareMs = median(await repeat(lists, () => timed(() => client.runsList({ limit: 1, offset: 0 }))));
  printRow('the newest run alone, p50', inMs(bareMs), '');
  const floor = { value: bareMs, name: 'the newest run alone' };
  const busy = historyJobs.first;
  const window = { start_time_from: 400_000_000, start_time_to: 500_000_000 };
  const requests: Record<string, Parameters<typeof client.runsList>[0]> = {
    newest: {},
    'of a job': { job_id: busy },
    'of a job that ran long ago': { job_id: historyJobs.old },
    'of a job that never ran': { job_id: 1 },
    active: { active_only: true },
    'active, of a job': { active_only: true, job_id: busy },
    completed: { completed_only: true },
    'completed, of a job': { completed_only: true, job_id: busy },
    'of a time': window,
    'of a time, of a job': { ...window, job_id: busy },
    'of a time with none, completed': { start_time_from: 1, start_time_to: 2, completed_only: true },
    'of a kind': { run_type: 'SUBMIT_RUN' },
    'of a kind, of a time with none': { run_type: 'SUBMIT_RUN', ...window },
    'of a kind, of a job': { run_type: 'SUBMIT_RUN', job_id: busy },
  };
  for (const [name, request] of Object.entries(requests)) {
    const list = () => timed(() => client.runsList({ ...request, limit: pageSize }));
    await repeat(5, list);
    const values = await repeat(lists, list);
    printRow(`runs/list ${name}, p50`, inMs(median(values)), '');
    const p99 = percentile(values, 0.99);
    printFigure({ what: `runs/list ${name}, p99`, value: p99, target: listMax, inUnits: inMs, floor });
  }
}
