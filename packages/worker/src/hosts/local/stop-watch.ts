/** Notices that a host does not do what it was told to end: a process that lives may be frozen, or stuck for ever. */
import type { FromHost, ToHost } from '../host-protocol.ts';

export interface StopWatch {
  /** A stop was not answered, and nothing has been heard since. */
  readonly isSilent: boolean;
  sent(frames: readonly ToHost[]): void;
  heard(frame: FromHost): void;
  /** Nothing is waited for any more. */
  clear(): void;
}

/** `onSilent` is called when a stop was not answered `answerMs` after its grace. */
export function createStopWatch({
  answerMs,
  onSilent,
}: {
  readonly answerMs: number;
  readonly onSilent: () => void;
}): StopWatch {
  const unanswered = new Set<number>();
  let timer: NodeJS.Timeout | undefined;
  let isSilent = false;
  const clear = () => {
    unanswered.clear();
    isSilent = false;
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    get isSilent() {
      return isSilent;
    },
    sent(frames) {
      for (const frame of frames) {
        if (frame.op !== 'stop') continue;
        unanswered.add(frame.attempt_id);
        timer ??= setTimeout(() => {
          clear();
          isSilent = true;
          onSilent();
        }, frame.grace_ms + answerMs).unref();
      }
    },
    heard(frame) {
      if (frame.op !== 'ended' && frame.op !== 'dropped') return;
      unanswered.delete(frame.attempt_id);
      if (unanswered.size === 0) clear();
    },
    clear,
  };
}
