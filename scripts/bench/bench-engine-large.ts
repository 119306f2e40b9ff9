/** Large runs: what an event costs, whether that grows with the run, and what the server holds afterwards. */
import { advance, newRun, type Run, type RunEvent, toRunId } from '@headrace/core';
import { toRunDefinition } from '../../packages/server/src/runs/run-definition.ts';
import type { Document } from '../../packages/server/src/runs/run-facts.ts';
import { type BenchServer, meanOf, measureFloor, printFloor, startBenchServer } from './bench-server.ts';
import { DirectWorker } from './direct-worker.ts';
import { readMemoryBytes } from './process-cost.ts';
import { forEachOf, layeredJob, type SampleTasks } from './sample-jobs.ts';
import { asRatio, inMegabytes, inMs, median, percentile, printFigure, printRow } from './statistics.ts';

const slots = 100;
const iterations = 5_000;
const memoryMax = 300_000_000;
/** The last fifth of the events against the first: were the cost proportional to what is done, it would be 9. */
const growthMax = 2;

const largeRuns = [
  { name: '1,000 tasks', tasks: layeredJob() },
  { name: `for-each of ${iterations}`, tasks: forEachOf(iterations, slots) },
];

export async function benchEngineLarge(): Promise<void> {
  const worker = new DirectWorker(slots);
  const bench = await startBenchServer(worker);
  try {
    for (const { name, tasks } of largeRuns) await benchStored(name, tasks, { bench, worker });
    printFigure({
      what: 'memory of server and benchmark together, afterwards',
      value: readMemoryBytes(),
      target: memoryMax,
      inUnits: inMegabytes,
    });
  } finally {
    await bench.stop();
  }
  for (const { name, tasks } of largeRuns) {
    decideAll(tasks); // compiles
    printPure(name, decideAll(tasks));
  }
}

/** Milliseconds of each call of `advance` in a run from begin to end, one event a call. */
function decideAll(tasks: SampleTasks): number[] {
  const settings = { tasks } as unknown as Document;
  const forEach = tasks[0]?.for_each_task;
  const inputs = forEach ? (JSON.parse(String(forEach.inputs)) as number[]) : [];
  let lastId = 1;
  const context = { nowMs: 1_000, newId: () => ++lastId };
  const definition = toRunDefinition(settings);
  let run: Run = newRun({ runId: toRunId(1), jobId: null, definition, place: 'admit', ...context });
  const elapsed: number[] = [];
  const pending: RunEvent[] = [];
  const step = (events: readonly RunEvent[]) => {
    const startedAt = performance.now();
    const result = advance(run, events, context);
    elapsed.push(performance.now() - startedAt);
    run = result.run;
    for (const command of result.commands) {
      if (command.kind === 'take_step')
        pending.push({ kind: 'inputs_resolved', attemptId: command.attemptId, inputs });
      if (command.kind === 'start_attempt') pending.push(...lifeOf(command.attemptId));
    }
  };
  step([]);
  for (let at = 0; at < pending.length; at++) step(pending.slice(at, at + 1));
  if (run.generations[0]?.phase.kind !== 'ended') throw new Error('the run has not ended');
  return elapsed;
}

function lifeOf(attemptId: Extract<RunEvent, { kind: 'attempt_claimed' }>['attemptId']): RunEvent[] {
  const attempt = { attemptId, epoch: 1 };
  return [
    { kind: 'attempt_claimed', ...attempt, workerId: 'w' },
    { kind: 'attempt_started', ...attempt, startedAtMs: 1_000 },
    { kind: 'attempt_ended', ...attempt, outcome: { kind: 'succeeded' }, taskValues: {} },
  ];
}

function printPure(name: string, elapsed: readonly number[]): void {
  const pureMax = 0.5;
  printFigure({ what: `${name}: advance, p50`, value: median(elapsed), target: pureMax, inUnits: inMs });
  printFigure({
    what: `${name}: advance, p99`,
    value: percentile(elapsed, 0.99),
    target: pureMax,
    inUnits: inMs,
  });
  printRow(`${name}: advance, slowest of ${elapsed.length}`, inMs(Math.max(...elapsed)), '');
  printGrowth(`${name}: advance, end against begin`, elapsed);
}

async function benchStored(
  name: string,
  tasks: SampleTasks,
  { bench, worker }: { bench: BenchServer; worker: DirectWorker },
): Promise<void> {
  worker.latencies = [];
  const before = await measureFloor(bench);
  const elapsedMs = await bench.timeToEnd(async () => [
    (await bench.client.runsSubmit({ run_name: 'bench', tasks })).run_id,
  ]);
  const measured = meanOf(before, await measureFloor(bench));
  printFloor(measured);
  const { fdatasyncMs, roundTripMs } = measured;
  const { latencies } = worker;
  const floor = { value: fdatasyncMs + roundTripMs, name: 'a bare commit' };
  printRow(`${name}: ${latencies.length} attempts, request to end`, inMs(elapsedMs), '');
  printFigure({
    what: `${name}: an event stored, p50`,
    value: median(latencies),
    target: 3 + fdatasyncMs,
    inUnits: inMs,
    floor,
  });
  printFigure({
    what: `${name}: an event stored, p99`,
    value: percentile(latencies, 0.99),
    target: 10 + fdatasyncMs,
    inUnits: inMs,
    floor,
  });
  printGrowth(`${name}: stored, end against begin`, latencies);
}

function printGrowth(what: string, values: readonly number[]): void {
  const fifth = Math.floor(values.length / 5);
  const growth = median(values.slice(-fifth)) / median(values.slice(0, fifth));
  printFigure({ what, value: growth, target: growthMax, inUnits: asRatio });
}
