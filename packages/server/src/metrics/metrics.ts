/**
 * What a monitoring system reads: counters of this process, and how the store stands at the moment of asking.
 * Counters are of one server and add up over several; gauges named `…_store_…` or read from it are the same on all.
 */
import type { DoctorFinding, Handlers, routes } from '@headrace/api';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestContext } from '../context.ts';
import type { LoopDriver } from '../loops/driver.ts';
import type { AdvancerObserver } from '../runs/advance-run.ts';
import type { Services } from '../services.ts';
import { readMeasures, type StoreMeasures } from './store.ts';

export interface Metrics {
  readonly registry: Registry;
  /** For the advancer and the lease loop. */
  readonly observer: AdvancerObserver & { leaseLost(): void };
  /** What is only known once the server is composed. */
  watch(sources: MetricSources): void;
  /** Reads what only the store knows into the registry. */
  refresh(): Promise<void>;
  readonly handlers: Pick<Handlers<typeof routes, RequestContext>, 'metrics'>;
}

export interface MetricSources {
  readonly loops: LoopDriver;
  readonly lastFindings: () => readonly DoctorFinding[];
  readonly listWorkers: () => Promise<
    readonly { readonly worker_id: string; readonly slots: number; readonly running: number }[]
  >;
}

/** A save takes a few milliseconds; beyond a second something is wrong with the disk. */
const saveBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
/** A scrape has a limit of its own, ten seconds as a rule. */
const storeWithinMs = 5_000;

export function createMetrics({ db, clock, log }: Pick<Services, 'db' | 'clock' | 'log'>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counters = createCounters(registry);
  const gauges = createStoreGauges(registry);
  let sources: MetricSources | null = null;

  async function readStore(): Promise<void> {
    gauges.reset();
    try {
      const measures = await within(storeWithinMs, readMeasures(db));
      const workers = await within(storeWithinMs, sources?.listWorkers() ?? Promise.resolve([]));
      if (measures) gauges.set(measures, clock.nowMs());
      gauges.setWorkers(workers);
      gauges.databaseUp.set(1);
    } catch (error) {
      gauges.databaseUp.set(0);
      log.debug({ err: error }, 'measures of the store could not be read');
    }
  }

  return {
    registry,
    observer: {
      saved: (elapsedMs) => counters.saves.observe(elapsedMs / 1000),
      runEnded: (result) => counters.runsEnded.inc({ result }),
      attemptEnded: (result) => counters.attemptsEnded.inc({ result }),
      leaseLost: () => counters.leasesLost.inc(),
    },
    watch(given) {
      sources = given;
      watchLoops(registry, given.loops);
      watchFindings(registry, given.lastFindings);
    },
    refresh: readStore,
    handlers: {
      async metrics() {
        await readStore();
        const text = await registry.metrics();
        return { contentType: registry.contentType, bytes: new TextEncoder().encode(text) };
      },
    },
  };
}

function createCounters(registry: Registry) {
  const registers = [registry];
  return {
    saves: new Histogram({
      name: 'headrace_save_seconds',
      help: 'Time from sending a batch of run changes to its commit; its count is the number of saves.',
      buckets: saveBuckets,
      registers,
    }),
    runsEnded: new Counter({
      name: 'headrace_runs_ended_total',
      help: 'Runs that this server ended, by result.',
      labelNames: ['result'],
      registers,
    }),
    attemptsEnded: new Counter({
      name: 'headrace_attempts_ended_total',
      help: 'Attempts whose end this server recorded, by result; what was skipped counts too.',
      labelNames: ['result'],
      registers,
    }),
    leasesLost: new Counter({
      name: 'headrace_lease_losses_total',
      help: 'Attempts that this server called lost because their worker let the lease run out.',
      registers,
    }),
  };
}

function createStoreGauges(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const runs = gauge('headrace_runs', 'Active runs by state.', ['state']);
  const attempts = gauge('headrace_attempts', 'Live attempts by state.', ['state']);
  const queueAge = gauge('headrace_queue_age_seconds', 'Age of the oldest queued run and attempt; 0: none.', [
    'queue',
  ]);
  const slots = gauge('headrace_worker_slots', 'Slots of each worker.', ['worker']);
  const held = gauge('headrace_worker_attempts', 'Attempts that each worker holds.', ['worker']);
  return {
    databaseUp: gauge('headrace_database_up', '1 when the database answered this scrape.'),
    reset() {
      for (const each of [runs, attempts, queueAge, slots, held]) each.reset();
    },
    set(measures: StoreMeasures, nowMs: number) {
      runs.set({ state: 'queued' }, measures.queued_runs);
      runs.set({ state: 'running' }, measures.running_runs);
      runs.set({ state: 'terminating' }, measures.terminating_runs);
      attempts.set({ state: 'queued' }, measures.queued_attempts);
      attempts.set({ state: 'claimed' }, measures.claimed_attempts);
      attempts.set({ state: 'running' }, measures.running_attempts);
      attempts.set({ state: 'stopping' }, measures.stopping_attempts);
      queueAge.set({ queue: 'runs' }, ageSeconds(measures.oldest_queued_run_ms, nowMs));
      queueAge.set({ queue: 'attempts' }, ageSeconds(measures.oldest_queued_attempt_ms, nowMs));
    },
    setWorkers(workers: readonly { worker_id: string; slots: number; running: number }[]) {
      for (const worker of workers) {
        slots.set({ worker: worker.worker_id }, worker.slots);
        held.set({ worker: worker.worker_id }, worker.running);
      }
    },
  };
}

const ageSeconds = (sinceMs: number | null, nowMs: number) =>
  sinceMs === null ? 0 : Math.max(0, nowMs - sinceMs) / 1000;

function watchLoops(registry: Registry, loops: LoopDriver): void {
  const registers = [registry];
  const labelNames = ['loop'] as const;
  new Gauge({
    name: 'headrace_loop_lag_seconds',
    help: 'How long after its time each loop is: over its interval, or in a turn that does not end.',
    labelNames,
    registers,
    collect() {
      for (const { name, lateMs } of loops.status()) this.set({ loop: name }, lateMs / 1000);
    },
  });
  for (const [what, help] of [
    ['turns', 'Turns of each loop since the start of the process.'],
    ['failures', 'Failed turns of each loop since the start of the process.'],
  ] as const) {
    new Counter({
      name: `headrace_loop_${what}_total`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const loop of loops.status()) this.inc({ loop: loop.name }, loop[what]);
      },
    });
  }
}

function watchFindings(registry: Registry, lastFindings: MetricSources['lastFindings']): void {
  new Gauge({
    name: 'headrace_doctor_findings',
    help: 'What the last look of the doctor found wrong, by severity.',
    labelNames: ['severity'],
    registers: [registry],
    collect() {
      for (const severity of ['error', 'warning'] as const) {
        this.set({ severity }, lastFindings().filter((finding) => finding.severity === severity).length);
      }
    },
  });
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
