/** All that takes part in one history. */
import { startClients } from './clients.ts';
import { Kernel, Owner } from './kernel.ts';
import { Ledger } from './ledger.ts';
import { startTurns } from './loops.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { Scheduler } from './scheduler.ts';
import { leaseMs, phaseOf, Store } from './store.ts';
import { Worker } from './worker.ts';

export type Trace = (line: string) => void;

export class World {
  readonly random: Random;
  readonly kernel: Kernel;
  readonly ledger = new Ledger();
  readonly store: Store;
  readonly schedulers: readonly Scheduler[];
  readonly workers: readonly Worker[];
  readonly clients = new Owner('clients');
  readonly trace: Trace | null;
  readonly scenario: Scenario;
  isCalm = false;
  readonly #cutOff = new Set<Owner>();

  constructor(options: { random: Random; scenario: Scenario; trace: Trace | null }) {
    const { random, scenario, trace } = options;
    this.random = random;
    this.scenario = scenario;
    this.kernel = new Kernel(random);
    this.trace =
      trace && ((line) => trace(`${String(this.kernel.nowMs - 1_000_000).padStart(9)} ms  ${line}`));
    this.store = new Store({
      kernel: this.kernel,
      ledger: this.ledger,
      jobs: scenario.jobs,
      trace: this.trace,
    });
    this.schedulers = Array.from(
      { length: scenario.schedulers },
      (_, at) => new Scheduler(`scheduler-${at}`, this),
    );
    this.workers = scenario.workers.map((settings) => new Worker(settings, this));
  }

  get faultRate(): number {
    return this.isCalm ? 0 : this.scenario.faultRate;
  }

  /** A task that may be retried for ever must succeed some day. */
  get failureRate(): number {
    return this.isCalm ? 0 : this.scenario.failureRate;
  }

  start(): void {
    for (const scheduler of this.schedulers) scheduler.start();
    for (const worker of this.workers) worker.start();
    startClients(this);
  }

  isCutOff(owner: Owner): boolean {
    return this.#cutOff.has(owner);
  }

  cutOff(worker: Worker): void {
    this.#cutOff.add(worker);
  }

  crashScheduler(at: number): void {
    const scheduler = this.schedulers[at];
    if (!scheduler?.isUp) return;
    this.trace?.(`${scheduler.name} crashes`);
    scheduler.crash();
    for (const [index, worker] of this.workers.entries()) {
      if (this.scenario.workers[index]?.scheduler === at) worker.crash();
    }
  }

  startScheduler(at: number): void {
    const scheduler = this.schedulers[at];
    if (!scheduler || scheduler.isUp) return;
    this.trace?.(`${scheduler.name} starts`);
    scheduler.start();
    for (const [index, worker] of this.workers.entries()) {
      if (this.scenario.workers[index]?.scheduler === at) worker.start();
    }
  }

  /** A worker's process; its host goes on. */
  restart(worker: Worker): void {
    this.trace?.(`${worker.name} restarts`);
    worker.crash();
    worker.start();
  }

  passTime(toMs: number): void {
    const elapsedMs = toMs - this.kernel.nowMs;
    // Meanwhile whoever can has sent heartbeats.
    if (elapsedMs > leaseMs / 4) for (const worker of this.workers) this.#keepLease(worker, toMs);
    this.kernel.passTime(toMs);
    for (const worker of this.workers) worker.watchLease();
  }

  #keepLease(worker: Worker, toMs: number): void {
    const canBeat =
      worker.isUp && !worker.isFrozen && !this.isCutOff(worker) && this.schedulers.some((each) => each.isUp);
    const row = this.store.workers.get(worker.name);
    if (!canBeat || worker.isLocal || !row || worker.leaseUntilMs === 0) return;
    worker.leaseUntilMs = Math.max(worker.leaseUntilMs, toMs + leaseMs / 2);
    row.leaseExpiresAtMs = Math.max(row.leaseExpiresAtMs, toMs + leaseMs);
  }

  /** Everybody who is there looks around once: what loops and heartbeats do on their own clocks. */
  lookAround(): void {
    for (const scheduler of this.schedulers) if (scheduler.isUp) startTurns(scheduler);
    for (const worker of this.workers) if (worker.isUp) this.kernel.spawn(worker, worker.heartbeat());
  }

  /** Faults stop: what is down comes back, what is cut off is reached, saves succeed. */
  calmDown(): void {
    this.isCalm = true;
    this.#cutOff.clear();
    for (const at of this.schedulers.keys()) this.startScheduler(at);
    for (const worker of this.workers) {
      worker.isFrozen = false;
      worker.host.isFrozen = false;
      if (!worker.isUp) worker.start();
    }
  }

  reconnect(worker: Worker): void {
    this.#cutOff.delete(worker);
  }

  /** Runs that have not ended, each with what it waits for. */
  unfinished(): string[] {
    const open: string[] = [];
    for (const { run } of this.store.runs.values()) {
      const phase = phaseOf(run);
      if (phase.kind === 'ended') continue;
      const states = [...run.taskRuns].map(
        ([slot, { state, attempt }]) => `${slot} ${state.kind} (attempt ${attempt})`,
      );
      open.push(`run ${run.runId} is ${phase.kind}: ${states.join(', ')}`);
    }
    return open;
  }
}
