/** What may happen to a run. The passing of time is not an event: `nowMs` is. Any event may arrive twice or late. */
import type { AttemptId } from '../ids.ts';
import type { Failure, JsonValue, StopReason } from './state.ts';

export type AttemptOutcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Stopped because a stop was asked for, and the stop is proven. */
  | { readonly kind: 'stopped' };

export type RunEvent =
  /** The queue has a place for this run. */
  | { readonly kind: 'admitted' }
  | {
      readonly kind: 'attempt_claimed';
      readonly attemptId: AttemptId;
      readonly epoch: number;
      readonly workerId: string;
    }
  /** A worker came back and took its attempt again, under a higher epoch. */
  | {
      readonly kind: 'attempt_resumed';
      readonly attemptId: AttemptId;
      readonly epoch: number;
      readonly workerId: string;
    }
  /** Proof of start: the child's own line, written before any user line. */
  | {
      readonly kind: 'attempt_started';
      readonly attemptId: AttemptId;
      readonly epoch: number;
      readonly startedAtMs: number;
    }
  | {
      readonly kind: 'attempt_ended';
      readonly attemptId: AttemptId;
      readonly epoch: number;
      readonly outcome: AttemptOutcome;
      readonly taskValues: Readonly<Record<string, JsonValue>>;
    }
  /** Proof of death. Before user code began the attempt is dispatched again, free of charge. */
  | {
      readonly kind: 'attempt_lost';
      readonly attemptId: AttemptId;
      readonly epoch: number;
      readonly beforeUserCode: boolean;
      readonly message: string;
    }
  | {
      readonly kind: 'cancel_requested';
      readonly reason: Extract<StopReason, 'cancelled_by_user' | 'cancelled_by_system'>;
    };
