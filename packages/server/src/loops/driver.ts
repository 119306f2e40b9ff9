/**
 * Runs background loops: one turn at a time each, again at once while there is work, else after `everyMs` or when
 * woken. A loop takes no input: it looks at the database and does what is missing, so a lost wake costs time only.
 *
 *   waiting ──timer or wake──▶ turning ──idle──▶ waiting
 *                                 │──again, or woken meanwhile──▶ turning
 *                                 └──error──▶ waiting, longer each time
 */
import type { Logger } from 'pino';
import type { Clock } from '../services.ts';

export interface Loop {
  readonly name: string;
  readonly everyMs: number;
  turn(): Promise<'again' | 'idle'>;
}

export interface LoopStatus {
  readonly name: string;
  readonly everyMs: number;
  /** For people: nothing is judged by it, since the clock of the store may step. */
  readonly lastTurnAtMs: number | null;
  /** How long beyond its interval, or in a turn that has not ended. */
  readonly lateMs: number;
  readonly lastError: string | null;
  /** Since the start of the process. */
  readonly turns: number;
  readonly failures: number;
}

/** A turn is some statements, each with a limit of its own; one that takes longer than this is stuck. */
const stuckAfterMs = 180_000;

/** Neither turning nor about to: for whoever asks whether the server is well. */
export function isStuck({ lateMs }: LoopStatus): boolean {
  return lateMs > stuckAfterMs;
}

export interface LoopDriver {
  add(loop: Loop): void;
  /** Makes the loop turn soon; a wake during a turn makes another turn follow. Unknown names are ignored. */
  wake(name: string): void;
  status(): readonly LoopStatus[];
  /** Starts no further turn; resolves when the running ones have ended. */
  stop(): Promise<void>;
}

const backOffFirstMs = 100;
/** A store that is away for long is asked this often; a short outage is over sooner. */
const backOffMaxMs = 10_000;

export interface LoopDriverOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Monotonic. */
  readonly elapsedMs?: () => number;
}

export function createLoopDriver(options: LoopDriverOptions): LoopDriver {
  const runners = new Map<string, LoopRunner>();
  return {
    add(loop) {
      if (runners.has(loop.name)) throw new Error(`bug: two loops are called ${loop.name}`);
      runners.set(loop.name, startRunner(loop, options));
    },
    wake: (name) => runners.get(name)?.wake(),
    status: () => [...runners.values()].map((runner) => runner.status()),
    async stop() {
      await Promise.all([...runners.values()].map((runner) => runner.stop()));
    },
  };
}

interface LoopRunner {
  wake(): void;
  status(): LoopStatus;
  stop(): Promise<void>;
}

function startRunner(
  loop: Loop,
  { log, clock, elapsedMs = () => performance.now() }: LoopDriverOptions,
): LoopRunner {
  let woken = true;
  let stopped = false;
  let interrupt: (() => void) | null = null;
  let lastTurnAtMs: number | null = null;
  let lastError: string | null = null;
  let failures = 0;
  /** When the turn under way began, or the next one is due. */
  let expectedAtMs = elapsedMs();
  const total = { turns: 0, failures: 0 };

  /** After an error a wake does not cut the wait short: it would make a failing loop spin. */
  function rest(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, waitMs);
      function done() {
        clearTimeout(timer);
        interrupt = null;
        resolve();
      }
      interrupt = done;
    });
  }

  async function turnOnce(): Promise<'again' | 'idle'> {
    expectedAtMs = elapsedMs();
    total.turns += 1;
    try {
      const outcome = await loop.turn();
      failures = 0;
      lastError = null;
      return outcome;
    } catch (error) {
      failures += 1;
      total.failures += 1;
      lastError = error instanceof Error ? error.message : String(error);
      log.error({ err: error, loop: loop.name, failures }, 'a loop turn failed');
      return 'idle';
    } finally {
      lastTurnAtMs = clock.nowMs();
      expectedAtMs = elapsedMs() + loop.everyMs;
    }
  }

  async function runTurns(): Promise<void> {
    while (!stopped) {
      woken = false;
      const outcome = await turnOnce();
      if (stopped) return;
      if (failures > 0) await rest(Math.min(backOffMaxMs, backOffFirstMs * 2 ** Math.min(failures - 1, 10)));
      else if (outcome === 'idle' && !woken) await rest(loop.everyMs);
    }
  }

  const running = runTurns();
  return {
    wake() {
      woken = true;
      if (failures === 0) interrupt?.();
    },
    status: () => ({
      name: loop.name,
      everyMs: loop.everyMs,
      lastTurnAtMs,
      lateMs: Math.max(0, elapsedMs() - expectedAtMs),
      lastError,
      ...total,
    }),
    async stop() {
      stopped = true;
      interrupt?.();
      await running;
    },
  };
}
