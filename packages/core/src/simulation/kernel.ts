/**
 * Processes that can stop anywhere. A program is a generator; each `yield` is a point at which it waits: for its next
 * turn, for some time, or for a ticket. Which program goes on is drawn, so one seed gives one order of events. A
 * crash drops all programs of its owner where they stand, as a power cut would.
 */
import type { Random } from './random.ts';

/** `null`: another may go first. A number: that many milliseconds. A ticket: until it is settled. */
export type Pause = null | number | Ticket<unknown>;
export type Program<T = void> = Generator<Pause, T, void>;

/** A process of the model. */
export class Owner {
  readonly name: string;
  isUp = true;
  /** Up, and getting no time: a machine that swaps, a laptop that sleeps. */
  isFrozen = false;
  /** Grows with each crash: programs of an earlier life do not go on. */
  life = 0;

  constructor(name: string) {
    this.name = name;
  }
}

export class Ticket<T> {
  value: T | undefined;
  isSettled = false;
  waiting: (() => void) | null = null;

  settle(value: T): void {
    if (this.isSettled) return;
    this.value = value;
    this.isSettled = true;
    this.waiting?.();
    this.waiting = null;
  }
}

interface Coroutine {
  readonly owner: Owner;
  readonly life: number;
  readonly program: Program;
  wakeAtMs: number;
}

export class Kernel {
  readonly random: Random;
  /** The store's clock, which is also the true time. */
  nowMs = 1_000_000;
  steps = 0;
  readonly #ready: Coroutine[] = [];
  #sleeping: Coroutine[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  spawn(owner: Owner, program: Program): void {
    this.#ready.push({ owner, life: owner.life, program, wakeAtMs: 0 });
  }

  crash(owner: Owner): void {
    owner.life += 1;
    owner.isUp = false;
    owner.isFrozen = false;
  }

  /** One program goes to its next pause. False: all of them wait. */
  step(): boolean {
    const ready = this.#ready;
    while (ready.length > 0) {
      const at = this.#pickReady();
      const chosen = ready[at];
      if (chosen === undefined) return false;
      const last = ready.pop();
      if (last && last !== chosen) ready[at] = last;
      if (chosen.life !== chosen.owner.life) continue;
      this.steps += 1;
      const { done, value } = chosen.program.next();
      if (!done) this.#park(chosen, value);
      return true;
    }
    return false;
  }

  /** -1: nothing but programs of frozen owners. */
  #pickReady(): number {
    const { length } = this.#ready;
    const start = this.random.below(length);
    for (let offset = 0; offset < length; offset++) {
      const at = (start + offset) % length;
      if (!this.#ready[at]?.owner.isFrozen) return at;
    }
    return -1;
  }

  #park(coroutine: Coroutine, pause: Pause): void {
    if (pause === null) this.#ready.push(coroutine);
    else if (typeof pause === 'number') {
      coroutine.wakeAtMs = this.nowMs + pause;
      this.#sleeping.push(coroutine);
    } else if (pause.isSettled) this.#ready.push(coroutine);
    else pause.waiting = () => this.#ready.push(coroutine);
  }

  /** When the first sleeper wakes; null when none sleeps. */
  nextWakeAtMs(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { owner, life, wakeAtMs } of this.#sleeping) {
      if (life === owner.life && wakeAtMs < next) next = wakeAtMs;
    }
    return Number.isFinite(next) ? next : null;
  }

  passTime(toMs: number): void {
    this.nowMs = Math.max(this.nowMs, toMs);
    const stillAsleep: Coroutine[] = [];
    for (const coroutine of this.#sleeping) {
      if (coroutine.wakeAtMs <= this.nowMs) this.#ready.push(coroutine);
      else if (coroutine.life === coroutine.owner.life) stillAsleep.push(coroutine);
    }
    this.#sleeping = stillAsleep;
  }
}
