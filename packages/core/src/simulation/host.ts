/** What runs user code. It outlives its worker, and its journal outlives it: how far each process got is always known. */
import type { AttemptId } from '../ids.ts';
import type { AttemptOutcome } from '../run/events.ts';
import type { Failure } from '../run/state.ts';
import { Owner, type Program, Ticket } from './kernel.ts';
import type { World } from './world.ts';

export interface HostedAttempt {
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
  readonly #hosted = new Map<AttemptId, HostedAttempt>();

  constructor(name: string, world: World) {
    super(name);
    this.#world = world;
  }

  prepare(attemptId: AttemptId): HostedAttempt {
    const known = this.#hosted.get(attemptId);
    if (known) return known;
    const hosted = { attemptId, isBegun: false, isOver: false, outcome: null, over: new Ticket<null>() };
    this.#hosted.set(attemptId, hosted);
    return hosted;
  }

  isOver(attemptId: AttemptId): boolean {
    return this.#hosted.get(attemptId)?.isOver === true;
  }

  begin(hosted: HostedAttempt): boolean {
    if (hosted.isBegun || hosted.isOver) return false;
    hosted.isBegun = true;
    this.#world.ledger.userCodeStarts(hosted.attemptId);
    this.#world.trace?.(`${this.name}: user code of attempt ${hosted.attemptId} begins`);
    this.#world.kernel.spawn(this, this.#userCode(hosted));
    return true;
  }

  *#userCode(hosted: HostedAttempt): Program {
    const { random, failureRate } = this.#world;
    yield random.pick([0, 50, 300, 1_500, 4_000]);
    if (hosted.isOver) return;
    end(hosted, random.chance(failureRate) ? { kind: 'failed', failure } : { kind: 'succeeded' });
  }

  stop(hosted: HostedAttempt): void {
    if (!hosted.isOver) end(hosted, { kind: 'stopped' });
  }

  /** The worker says that it is not ours: ended, and nobody is told. */
  dismiss(attemptId: AttemptId): void {
    this.#world.trace?.(`${this.name}: attempt ${attemptId} is dismissed`);
    this.kill(attemptId);
    // What has begun is remembered: given again by mistake, it must not begin again.
    if (!this.#hosted.get(attemptId)?.isBegun) this.#hosted.delete(attemptId);
  }

  dismissAllBut(ours: ReadonlySet<AttemptId>): void {
    for (const attemptId of [...this.#hosted.keys()]) if (!ours.has(attemptId)) this.dismiss(attemptId);
  }

  /** It dies; the journal keeps how far it got. */
  kill(attemptId: AttemptId): void {
    const hosted = this.#hosted.get(attemptId);
    if (hosted && !hosted.isOver) end(hosted, null);
  }

  forget(attemptId: AttemptId): void {
    this.#world.trace?.(`${this.name}: attempt ${attemptId} is forgotten`);
    this.#hosted.delete(attemptId);
  }

  /** Every process that has not ended dies without an outcome; the journal keeps the rest. */
  die(): void {
    for (const attemptId of this.#hosted.keys()) this.kill(attemptId);
  }
}

function end(hosted: HostedAttempt, outcome: AttemptOutcome | null): void {
  hosted.isOver = true;
  hosted.outcome = outcome;
  hosted.over.settle(null);
}
