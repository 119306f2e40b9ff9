/**
 * From the end of an attempt to its host's forgetting it: told first, then acknowledged to the host that it ran on, to
 * the one that came after that died and took over its journal, or, where none came, to the journal itself.
 */
import type { Host, Slot } from './host-slot.ts';
import { ackOf } from './host-slot.ts';
import type { HostBackend, HostDeath } from './hosts/host-backend.ts';
import type { WorkerLog } from './log.ts';
import type { AttemptRef } from './ports.ts';

export interface Ending {
  readonly hostKey: string;
  readonly ref: AttemptRef;
  /** That it ran on. */
  readonly host: Host | null;
  readonly isLost: boolean;
}

export interface EndingsOptions {
  readonly backend: HostBackend;
  readonly log: WorkerLog;
}

export class Endings {
  readonly #options: EndingsOptions;
  readonly #slotOf: (hostKey: string) => Slot | undefined;
  /** Attempts whose end is not durable yet: no host may forget it. */
  readonly #telling = new Set<number>();

  constructor(options: EndingsOptions, slotOf: (hostKey: string) => Slot | undefined) {
    this.#options = options;
    this.#slotOf = slotOf;
  }

  async settle({ hostKey, ref, host, isLost }: Ending, tell: () => Promise<void>): Promise<void> {
    const { attemptId, epoch } = ref;
    this.#telling.add(attemptId);
    await tell();
    this.#telling.delete(attemptId);
    const slot = this.#slotOf(hostKey);
    if (slot === undefined) return this.#acknowledgeDead(hostKey, [ref]);
    // What was lost may be on the next host again, under its id.
    if (isLost && slot !== host) return;
    slot.acknowledged.add({ attemptId, epoch });
    slot.send({ op: 'ack', attempt_id: attemptId, epoch });
  }

  /** Ends in the journal that it took over: of those that were told already, the acknowledgement died with the host. */
  inherit(slot: Slot): void {
    for (const hosted of slot.attempts.values()) {
      if (hosted.state === 'ended' && !this.#telling.has(hosted.attempt_id)) slot.send(ackOf(hosted));
    }
  }

  /** It may have died before it heard of an acknowledgement, or wrote it down. */
  bury({ hostKey, acknowledged }: Slot, { attempts }: HostDeath): void {
    this.#acknowledgeDead(hostKey, acknowledged.amongst(attempts));
  }

  /** Else its journal would answer for them until the next start of a host of this key. */
  #acknowledgeDead(hostKey: string, told: readonly AttemptRef[]): void {
    try {
      this.#options.backend.acknowledge(hostKey, told);
    } catch (error) {
      this.#options.log.warn(
        { host_key: hostKey, err: error },
        'the journal of a dead host cannot be written',
      );
    }
  }
}
