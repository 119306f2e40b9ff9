/** Tells of a host that is frozen or stuck: it cannot say so itself, and its attempts wait with it. */
import type { FromHost } from '../host-protocol.ts';
import type { PingWatchOptions } from '../ping-watch.ts';
import { isFrozen, type ProcessIdentity } from './processes.ts';

type SparkFrame = Extract<FromHost, { op: 'spark' }>;

export interface FreezeWatch {
  /** What the host says of itself, to be said again when it goes on. */
  heard(frame: FromHost): void;
  readonly pings: Pick<PingWatchOptions, 'onSilent' | 'onAnswer'>;
  look(): void;
}

interface FreezeWatchOptions {
  readonly silenceMs: number;
  readonly tell: (frame: SparkFrame) => void;
  /** It was silent for `silenceMs`, and nobody has stopped it. */
  readonly onTooLong: () => void;
}

export function createFreezeWatch(record: ProcessIdentity, options: FreezeWatchOptions): FreezeWatch {
  let said: SparkFrame = { op: 'spark', state: 'none', message: '', jvm_pid: null };
  let silentSince: Date | null = null;
  let told: string | null = null;
  const look = () => {
    const trouble = isFrozen(record)
      ? describeFrozen(record.pid)
      : silentSince && describeSilent(record.pid, silentSince, options.silenceMs);
    if (trouble === told) return;
    told = trouble;
    options.tell(trouble === null ? said : { ...said, state: 'unknown', message: trouble });
  };
  const onAnswer = () => {
    silentSince = null;
    look();
  };
  return {
    heard(frame) {
      if (frame.op === 'hello') {
        said = { ...said, state: frame.spark };
        onAnswer();
      }
      if (frame.op !== 'spark') return;
      const { op, state, message, jvm_pid } = frame;
      said = { op, state, message, jvm_pid };
    },
    pings: {
      onSilent(silentMs) {
        silentSince ??= new Date(Date.now() - silentMs);
        look();
        if (silentMs >= options.silenceMs && !isFrozen(record)) options.onTooLong();
      },
      onAnswer,
    },
    look,
  };
}

function describeFrozen(pid: number): string {
  return `the host process ${pid} is stopped (SIGSTOP): nothing is heard of its tasks until it gets SIGCONT`;
}

function describeSilent(pid: number, since: Date, endedAfterMs: number): string {
  return `the host process ${pid} does not answer since ${since.toISOString().slice(0, 19)}Z: nothing is heard of its tasks, and without an answer within ${Math.round(endedAfterMs / 1000)} s it is ended, and its tasks with it`;
}
