/** One history: first anything may happen, then faults stop and everything must come to its end. */
import { BrokenPromise } from './ledger.ts';
import { Random, seedOfHistory } from './random.ts';
import { drawScenario } from './scenario.ts';
import { type Trace, World } from './world.ts';

export interface HistoryOptions {
  readonly seed: number;
  readonly index: number;
  readonly trace: Trace | null;
}

export interface HistoryResult {
  /** null: every promise was kept. */
  readonly broken: string | null;
  readonly steps: number;
  readonly runs: number;
}

/** Far more than any scenario needs once faults have stopped; a run that is not done by then is stuck. */
const calmStepsMax = 200_000;
/** All wait, time passes, all wait again: so often, and it is no longer progress. */
const stallsMax = 5_000;

export function playHistory({ seed, index, trace }: HistoryOptions): HistoryResult {
  const random = new Random(seedOfHistory(seed, index));
  const world = new World({ random, scenario: drawScenario(random), trace });
  const tell = (broken: string | null): HistoryResult => ({
    broken,
    steps: world.kernel.steps,
    runs: world.store.runs.size,
  });
  try {
    world.start();
    playRough(world);
    world.calmDown();
    trace?.('--- faults stop ---');
    return tell(playCalm(world));
  } catch (error) {
    if (error instanceof BrokenPromise) return tell(error.message);
    // The core's own assertions are promises too.
    return tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

function playRough(world: World): void {
  const { random, kernel, scenario } = world;
  for (let step = 0; step < scenario.faultySteps; step++) {
    if (random.chance(scenario.faultRate)) causeFault(world);
    if (random.chance(0.04)) world.lookAround();
    if (random.chance(0.05) || !kernel.step()) passSomeTime(world);
  }
}

function passSomeTime(world: World): void {
  const { random, kernel } = world;
  const next = kernel.nextWakeAtMs();
  const soonMs = kernel.nowMs + random.pick([10, 200, 1_000]);
  world.passTime(next === null ? soonMs : Math.max(kernel.nowMs, Math.min(next, soonMs)));
}

function causeFault(world: World): void {
  causeOneFault(world);
  if (world.random.chance(0.15)) passLongWhile(world);
}

function causeOneFault(world: World): void {
  const { random, schedulers, workers } = world;
  const at = random.below(schedulers.length);
  const worker = random.pick(workers);
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2:
      return world.crashScheduler(at);
    case 3:
      return world.startScheduler(at);
    case 4: {
      const scheduler = schedulers[at];
      if (scheduler) scheduler.skewMs = random.pick([-3_600_000, -5_000, 0, 5_000, 3_600_000]);
      return world.trace?.(`the clock of ${scheduler?.name} is now off by ${scheduler?.skewMs} ms`);
    }
    case 5:
      world.trace?.(`${worker.host.name} dies`);
      return worker.host.die();
    case 6:
      // A server's own worker has no life of its own.
      if (!worker.isLocal) world.restart(worker);
      return;
    case 7:
      if (worker.isLocal) return;
      world.trace?.(`${worker.name} is ${worker.isFrozen ? 'thawed' : 'frozen'}`);
      worker.isFrozen = !worker.isFrozen;
      worker.host.isFrozen = worker.isFrozen;
      return;
    default:
      if (worker.isLocal) return;
      if (world.isCutOff(worker)) world.reconnect(worker);
      else world.cutOff(worker);
  }
}

/** Long enough for leases to run out, while whoever is up goes on looking around. */
function passLongWhile(world: World): void {
  for (let piece = 0; piece < 5; piece++) {
    world.passTime(world.kernel.nowMs + 20_000);
    world.lookAround();
    for (let step = 0; step < 15; step++) world.kernel.step();
  }
}

/** null: every run has ended. */
function playCalm(world: World): string | null {
  const { kernel } = world;
  const lastStep = kernel.steps + calmStepsMax;
  for (let stalls = 0; kernel.steps < lastStep; ) {
    if (kernel.step()) continue;
    if (world.unfinished().length === 0 && kernel.nextWakeAtMs() === null) return null;
    stalls += 1;
    if (stalls > stallsMax) break;
    // First all look around where they are; if that moves nothing, time passes to the next thing that is due.
    world.lookAround();
    if (stalls % 2 === 0) world.passTime(nextDueAtMs(world));
  }
  return `nothing moves any more, ${world.unfinished().join('; ')}`;
}

function nextDueAtMs(world: World): number {
  const { kernel, store, schedulers } = world;
  let next = kernel.nextWakeAtMs() ?? Number.POSITIVE_INFINITY;
  const slowest = Math.min(...schedulers.map(({ skewMs }) => skewMs));
  for (const { wakeAtMs } of store.runs.values()) {
    if (wakeAtMs !== null) next = Math.min(next, wakeAtMs - slowest);
  }
  return Number.isFinite(next) ? Math.max(next, kernel.nowMs + 1) : kernel.nowMs + 1_000;
}
