/**
 * The lease of a worker on another machine, on this machine's monotonic clock. A renewal counts from when its request
 * was sent, so the store's own period ends later than this one.
 *
 *   renewed ───────────── lapses ──── overdue ── the store may give the work to others
 *            holds            │ grace, proof │ margin │
 */
import type { WorkerLease } from '../ports.ts';

export interface LeaseTimes {
  readonly leaseMs: number;
  /** From the sending of a renewal: when what runs is to be ended, and when by force. */
  readonly lapseAfterMs: number;
  readonly overdueAfterMs: number;
  /** Of what is ended. */
  readonly stopGraceMs: number;
  readonly heartbeatMs: number;
}

/** A twelfth of the lease (5 s of a minute) for clocks that drift, and as much again for a proof of death. */
const marginsPerLease = 12;
/** A task may take this part of the lease to end in good order. */
const gracesPerLease = 6;
const heartbeatsPerLease = 12;

export function planLease(leaseMs: number, stopGraceMs: number): LeaseTimes {
  const marginMs = Math.ceil(leaseMs / marginsPerLease);
  const graceMs = Math.min(stopGraceMs, Math.floor(leaseMs / gracesPerLease));
  const overdueAfterMs = leaseMs - marginMs;
  return {
    leaseMs,
    overdueAfterMs,
    lapseAfterMs: overdueAfterMs - marginMs - graceMs,
    stopGraceMs: graceMs,
    heartbeatMs: Math.floor(leaseMs / heartbeatsPerLease),
  };
}

export interface RenewableLease extends WorkerLease {
  /** Known from the registration on. */
  begin(times: LeaseTimes, sentAtMs: number): void;
  renew(sentAtMs: number): void;
  /** No timer is left behind. */
  end(): void;
}

export function createLease(options: {
  readonly elapsedMs: () => number;
  /** After each renewal: until when processes of this worker may run, monotonic. */
  readonly onRenewed: (overdueAtMs: number) => void;
}): RenewableLease {
  const { elapsedMs, onRenewed } = options;
  let times: LeaseTimes | null = null;
  let renewedAtMs = 0;
  let isLapsed = true;
  let lapses = 0;
  let timer: NodeJS.Timeout | undefined;
  let listener = { lapsed: () => {}, overdue: () => {} };

  const leftMs = (afterMs: number) => renewedAtMs + afterMs - elapsedMs();

  /** Also whatever a process that was frozen does first: time may have passed without a timer. */
  function look(): void {
    if (times === null) return;
    clearTimeout(timer);
    if (!isLapsed && leftMs(times.lapseAfterMs) <= 0) {
      isLapsed = true;
      lapses += 1;
      listener.lapsed();
    }
    const overdueMs = leftMs(times.overdueAfterMs);
    if (!isLapsed) timer = setTimeout(look, leftMs(times.lapseAfterMs));
    else if (overdueMs > 0) timer = setTimeout(look, overdueMs);
    else listener.overdue();
  }

  function renew(sentAtMs: number): void {
    // What ran until now may have been given to others: it is ended before the new period begins.
    look();
    if (sentAtMs < renewedAtMs) return;
    renewedAtMs = sentAtMs;
    if (times !== null) onRenewed(sentAtMs + times.overdueAfterMs);
    isLapsed = times === null || leftMs(times.lapseAfterMs) <= 0;
    look();
  }

  return {
    holds: () => times !== null && !isLapsed && leftMs(times.lapseAfterMs) > 0,
    get lapses() {
      return lapses;
    },
    listen(heard) {
      listener = heard;
    },
    begin(begun, sentAtMs) {
      times = begun;
      renew(sentAtMs);
    },
    renew,
    end() {
      clearTimeout(timer);
      times = null;
    },
  };
}
