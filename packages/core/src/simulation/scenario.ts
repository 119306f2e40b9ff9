/** What one history is about: jobs of every shape, who is there to run them, and how rough it gets. */
import { type JobId, toJobId } from '../ids.ts';
import {
  type Dependency,
  type RetryPolicy,
  type RunDefinition,
  runIfValues,
  type TaskDefinition,
  type TaskWork,
} from '../run/state.ts';
import type { Random } from './random.ts';

export interface SimulatedJob {
  readonly jobId: JobId;
  readonly definition: RunDefinition;
  /** What the settings became meanwhile: repairs run this, unless they ask for the original. */
  readonly laterDefinition: RunDefinition;
  readonly runsMax: number;
  readonly queueEnabled: boolean;
  /** Of tasks whose work is another run: which job. */
  readonly childJobs: ReadonlyMap<string, JobId>;
}

export interface SimulatedWorker {
  readonly workerId: string;
  /** In the process of this scheduler; null: a machine of its own, which lives by its lease. */
  readonly scheduler: number | null;
  readonly slots: number;
}

export interface Scenario {
  readonly jobs: readonly SimulatedJob[];
  readonly schedulers: number;
  readonly workers: readonly SimulatedWorker[];
  readonly runs: number;
  readonly cancels: number;
  readonly repairs: number;
  /** Chance of a fault at each step, of a message lost or doubled, of a save that fails. */
  readonly faultRate: number;
  /** After so many steps faults stop, and all must come to its end. */
  readonly faultySteps: number;
  /** Chance that user code fails. */
  readonly failureRate: number;
}

export function drawScenario(random: Random): Scenario {
  const schedulers = random.pick([1, 1, 2, 2, 3]);
  return {
    jobs: drawJobs(random),
    schedulers,
    workers: drawWorkers(random, schedulers),
    runs: random.pick([1, 1, 2, 2, 3]),
    cancels: random.pick([0, 0, 1, 2]),
    repairs: random.pick([0, 1, 1, 2]),
    faultRate: random.pick([0, 0.01, 0.03, 0.08]),
    faultySteps: random.pick([60, 150, 300]),
    failureRate: random.pick([0, 0.2, 0.5]),
  };
}

function drawWorkers(random: Random, schedulers: number): SimulatedWorker[] {
  const workers: SimulatedWorker[] = [];
  const shape = random.pick(['local', 'remote', 'both'] as const);
  for (let scheduler = 0; scheduler < schedulers && shape !== 'remote'; scheduler++) {
    if (scheduler === 0 || random.chance(0.5))
      workers.push({ workerId: `local-${scheduler}`, scheduler, slots: random.between(1, 3) });
  }
  for (let remote = 0; remote < 2 && shape !== 'local'; remote++) {
    if (remote === 0 || random.chance(0.5))
      workers.push({ workerId: `remote-${remote}`, scheduler: null, slots: random.between(1, 3) });
  }
  return workers;
}

/** A job may start runs of jobs after it, never of itself: recursion is refused when a job is saved. */
function drawJobs(random: Random): SimulatedJob[] {
  const count = random.pick([1, 1, 2, 3]);
  return Array.from({ length: count }, (_, at): SimulatedJob => {
    const jobId = toJobId(at + 1);
    const callable = Array.from({ length: count - at - 1 }, (_, later) => toJobId(at + later + 2));
    const childJobs = new Map<string, JobId>();
    const definition = drawDefinition(random, callable, childJobs);
    return {
      jobId,
      definition,
      laterDefinition: random.chance(0.7) ? definition : drawLater(random, definition),
      // None at all is rare, and allowed while people hold a job back.
      runsMax: random.chance(0.03) ? 0 : random.pick([1, 1, 2, 3]),
      queueEnabled: random.chance(0.7),
      childJobs,
    };
  });
}

function drawDefinition(
  random: Random,
  callable: readonly JobId[],
  childJobs: Map<string, JobId>,
): RunDefinition {
  const tasks: TaskDefinition[] = [];
  const count = random.pick([1, 2, 2, 3, 3, 4, 5, 8]);
  for (let at = 0; at < count; at++) {
    const key = `t${at}`;
    const work = drawWork(random, key, callable, childJobs);
    tasks.push({
      key,
      dependsOn: drawDependencies(random, tasks),
      runIf: random.chance(0.5) ? 'ALL_SUCCESS' : random.pick(runIfValues),
      disabled: random.chance(0.05),
      work,
      guarded: work.kind !== 'condition' && random.chance(0.1),
      retry: retryFor(random, work),
      timeoutMs: work.kind !== 'condition' && random.chance(0.15) ? random.pick([500, 2_000]) : null,
    });
  }
  return { tasks, timeoutMs: random.chance(0.08) ? random.pick([1_000, 5_000]) : null };
}

const noRetry: RetryPolicy = { retriesMax: 0, intervalMinMs: 0, intervalMaxMs: null, onTimeout: false };

function retryFor(random: Random, { kind }: TaskWork): RetryPolicy {
  if (kind === 'condition' || kind === 'for_each' || random.chance(0.6)) return noRetry;
  return {
    // For ever only where it may succeed some day: another job's run may fail each time, by its own rules.
    retriesMax: random.pick([1, 1, 2, 3, kind === 'attempt' ? -1 : 3]),
    intervalMinMs: random.pick([0, 1_000]),
    intervalMaxMs: random.pick([null, 4_000]),
    onTimeout: random.chance(0.5),
  };
}

/** Earlier tasks only: no circles. */
function drawDependencies(random: Random, earlier: readonly TaskDefinition[]): Dependency[] {
  const wanted = Math.min(random.pick([0, 1, 1, 2, 3]), earlier.length);
  const parents = new Set<TaskDefinition>();
  for (let at = 0; at < wanted; at++) parents.add(random.pick(earlier));
  return [...parents].map(({ key, work }) => ({
    key,
    outcome: work.kind === 'condition' && random.chance(0.8) ? random.chance(0.5) : null,
  }));
}

function drawWork(
  random: Random,
  key: string,
  callable: readonly JobId[],
  childJobs: Map<string, JobId>,
): TaskWork {
  const die = random.next();
  if (die < 0.1) return { kind: 'condition' };
  if (die < 0.22) {
    const nestedKey = `${key}_each`;
    const work = drawSimpleWork(random, nestedKey, callable, childJobs);
    return {
      kind: 'for_each',
      concurrency: random.between(1, 3),
      task: {
        key: nestedKey,
        dependsOn: [],
        runIf: 'ALL_SUCCESS',
        disabled: false,
        work,
        guarded: false,
        retry: retryFor(random, work),
        timeoutMs: random.chance(0.1) ? 500 : null,
      },
    };
  }
  return drawSimpleWork(random, key, callable, childJobs);
}

function drawSimpleWork(
  random: Random,
  key: string,
  callable: readonly JobId[],
  childJobs: Map<string, JobId>,
): TaskWork {
  if (callable.length === 0 || random.chance(0.75)) return { kind: 'attempt' };
  childJobs.set(key, random.pick(callable));
  return { kind: 'run_job' };
}

/** A task is gone, or one has come: what a repair with current settings may meet. */
function drawLater(random: Random, { tasks, timeoutMs }: RunDefinition): RunDefinition {
  const [last] = tasks.slice(-1);
  if (last && tasks.length > 1 && random.chance(0.4)) return { tasks: tasks.slice(0, -1), timeoutMs };
  const added: TaskDefinition = {
    key: 'added',
    dependsOn: drawDependencies(random, tasks),
    runIf: 'ALL_SUCCESS',
    disabled: false,
    work: { kind: 'attempt' },
    guarded: false,
    retry: noRetry,
    timeoutMs: null,
  };
  return { tasks: [...tasks, added], timeoutMs };
}
