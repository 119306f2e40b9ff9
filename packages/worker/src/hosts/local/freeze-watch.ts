/** Tells of a host that is frozen: it cannot say so itself, and its attempts wait with it. */
import type { FromHost } from '../host-protocol.ts';
import { isFrozen, type ProcessIdentity } from './processes.ts';

type SparkFrame = Extract<FromHost, { op: 'spark' }>;

export interface FreezeWatch {
  /** What the host says of itself, to be said again when it goes on. */
  heard(frame: FromHost): void;
  look(): void;
}

export function createFreezeWatch(record: ProcessIdentity, tell: (frame: SparkFrame) => void): FreezeWatch {
  let said: SparkFrame = { op: 'spark', state: 'none', message: '', jvm_pid: null };
  let wasFrozen = false;
  return {
    heard(frame) {
      if (frame.op === 'hello') said = { ...said, state: frame.spark };
      if (frame.op !== 'spark') return;
      const { op, state, message, jvm_pid } = frame;
      said = { op, state, message, jvm_pid };
    },
    look() {
      if (isFrozen(record) === wasFrozen) return;
      wasFrozen = !wasFrozen;
      tell(wasFrozen ? { ...said, message: describeFrozen(record.pid) } : said);
    },
  };
}

function describeFrozen(pid: number): string {
  return `the host process ${pid} is stopped (SIGSTOP): nothing is heard of its tasks until it gets SIGCONT`;
}
