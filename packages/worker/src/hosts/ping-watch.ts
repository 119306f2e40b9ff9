/**
 * Asks a host again and again whether it is there: one that is stuck keeps its connection open and says nothing. Time
 * counts only while this process runs itself: a machine that slept, or a worker that was frozen, has asked nothing meanwhile.
 */

/** A host answers within milliseconds; its longest work between two answers, the search for processes, takes less than a second. */
const askEveryDefaultMs = 5_000;
/** Heavy load and a full disk delay answers by seconds. */
const toldDefaultMs = 60_000;

export interface PingWatch {
  /** Any frame is an answer. */
  heard(): void;
  end(): void;
}

export interface PingWatchOptions {
  readonly ask: () => void;
  /** Once when it is silent for long, and then with every look until it answers. */
  readonly onSilent: (silentMs: number) => void;
  /** Only after it was silent. */
  readonly onAnswer: () => void;
  readonly askEveryMs?: number | undefined;
  readonly toldMs?: number | undefined;
}

export function createPingWatch(options: PingWatchOptions): PingWatch {
  const { ask, onSilent, onAnswer, askEveryMs = askEveryDefaultMs, toldMs = toldDefaultMs } = options;
  let isAnswered = true;
  let silentMs = 0;
  let lookedAt = performance.now();
  const timer = setInterval(() => {
    const passedMs = performance.now() - lookedAt;
    lookedAt += passedMs;
    if (isAnswered) {
      isAnswered = false;
      return ask();
    }
    silentMs += Math.min(passedMs, 2 * askEveryMs);
    if (silentMs >= toldMs) onSilent(silentMs);
  }, askEveryMs).unref();
  return {
    heard() {
      const wasSilent = silentMs >= toldMs;
      isAnswered = true;
      silentMs = 0;
      if (wasSilent) onAnswer();
    },
    end: () => clearInterval(timer),
  };
}
