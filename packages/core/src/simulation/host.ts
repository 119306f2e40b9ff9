/** What runs user code. It outlives its worker, and its journal outlives it: how far each process got is always known. */
import type { AttemptId } from '../ids.ts';
import type { AttemptOutcome } from '../run/events.ts';
import type { Failure } from '../run/state.ts';
import { Owner, type Program, Ticket } from './kernel.ts';
import type { World } from './world.ts';

export interface HostProcess {
  readonly attemptId: AttemptId;
  isBegun: boolean;
  isOver: boolean;
  /** null when over: it died with its host. */
  outcome: AttemptOutcome | null;
  readonly over: Ticket<null>;
}

const failure: Failure = { code: 'RUN_EXECUTION_ERROR', message: 'ValueError: no', trace: null };

export class Host extends Owner {
  readonly #world: World;
  readonly #processes = new Map<AttemptId, HostProcess>();

  constructor(name: string, world: World) {
    super(name);
    this.#world = world;
  }

  prepare(attemptId: AttemptId): HostProcess {
    const known = this.#processes.get(attemptId);
    if (known) return known;
    const process = { attemptId, isBegun: false, isOver: false, outcome: null, over: new Ticket<null>() };
    this.#processes.set(attemptId, process);
    return process;
  }

  isOver(attemptId: AttemptId): boolean {
    return this.#processes.get(attemptId)?.isOver === true;
  }

  begin(process: HostProcess): boolean {
    if (process.isBegun || process.isOver) return false;
    process.isBegun = true;
    this.#world.ledger.userCodeStarts(process.attemptId);
    this.#world.trace?.(`${this.name}: user code of attempt ${process.attemptId} begins`);
    this.#world.kernel.spawn(this, this.#userCode(process));
    return true;
  }

  *#userCode(process: HostProcess): Program {
    const { random, failureRate } = this.#world;
    yield random.pick([0, 50, 300, 1_500, 4_000]);
    if (process.isOver) return;
    end(process, random.chance(failureRate) ? { kind: 'failed', failure } : { kind: 'succeeded' });
  }

  stop(process: HostProcess): void {
    if (!process.isOver) end(process, { kind: 'stopped' });
  }

  /** The worker says that it is not ours: ended, and nobody is told. */
  dismiss(attemptId: AttemptId): void {
    this.#world.trace?.(`${this.name}: attempt ${attemptId} is dismissed`);
    const process = this.#processes.get(attemptId);
    if (process && !process.isOver) process.isOver = true;
    this.#processes.delete(attemptId);
  }

  dismissAllBut(ours: ReadonlySet<AttemptId>): void {
    for (const attemptId of [...this.#processes.keys()]) if (!ours.has(attemptId)) this.dismiss(attemptId);
  }

  /** It dies; the journal keeps how far it got. */
  kill(attemptId: AttemptId): void {
    const process = this.#processes.get(attemptId);
    if (process && !process.isOver) end(process, null);
  }

  forget(attemptId: AttemptId): void {
    this.#world.trace?.(`${this.name}: attempt ${attemptId} is forgotten`);
    this.#processes.delete(attemptId);
  }

  /** Every process that has not ended dies without an outcome; the journal keeps the rest. */
  die(): void {
    for (const attemptId of this.#processes.keys()) this.kill(attemptId);
  }
}

function end(process: HostProcess, outcome: AttemptOutcome | null): void {
  process.isOver = true;
  process.outcome = outcome;
  process.over.settle(null);
}
