/** Ends started parts in reverse order, once. A part that fails to end does not keep the others from ending. */
import type { Logger } from 'pino';

export interface Teardown {
  add(name: string, end: () => Promise<void>): void;
  /** All further calls get the same promise. */
  run(): Promise<void>;
}

/** `waitMs`: how long each part may take. What takes longer goes on by itself while the next ones end. */
export function createTeardown(log: Logger, waitMs: number): Teardown {
  const parts: { name: string; end: () => Promise<void> }[] = [];
  let running: Promise<void> | null = null;

  async function endAll(): Promise<void> {
    for (const { name, end } of parts.reverse()) {
      try {
        if (!(await endsWithin(end(), waitMs)))
          log.warn({ part: name, waitMs }, 'a part did not stop in time');
      } catch (error) {
        log.error({ err: error, part: name }, 'a part did not stop well');
      }
    }
  }

  return {
    add: (name, end) => void parts.push({ name, end }),
    run: () => {
      running ??= endAll();
      return running;
    },
  };
}

async function endsWithin(end: Promise<void>, waitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), waitMs);
  });
  try {
    return await Promise.race([end.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
