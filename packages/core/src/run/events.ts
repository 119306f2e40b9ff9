/** What may happen to a run. The passing of time is not an event: `nowMs` is. Any event may arrive twice or late. */
import type { AttemptId, RunId } from '../ids.ts';
import type { RepairRequest } from './repair.ts';
import type { ConditionEvaluation, Failure, JsonValue, StopReason } from './state.ts';

export type AttemptOutcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** Stopped because a stop was asked for, and the stop is proven. */
  | { readonly kind: 'stopped' };

export type ChildOutcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'cancelled' };

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
      /** When it ended, where that is known: word of it may come late. */
      readonly endedAtMs?: number;
    }
  /** Proof of death. Before user code began the attempt is dispatched again, free of charge. */
  | {
      readonly kind: 'attempt_lost';
      readonly attemptId: AttemptId;
      readonly epoch: number;
      readonly beforeUserCode: boolean;
      readonly message: string;
      /**
       * Only if this worker holds it: of two servers that each believe to have given an attempt away under one epoch,
       * one is wrong and does not know it.
       */
      readonly workerId?: string;
    }
  /** The engine's own steps, answered by whoever can resolve references: in the batch that made the task ready. */
  | {
      readonly kind: 'condition_evaluated';
      readonly attemptId: AttemptId;
      readonly evaluation: ConditionEvaluation;
    }
  | {
      readonly kind: 'inputs_resolved';
      readonly attemptId: AttemptId;
      readonly inputs: readonly JsonValue[];
    }
  | { readonly kind: 'child_started'; readonly attemptId: AttemptId; readonly childRunId: RunId }
  /** The run that is the task's work has ended. */
  | {
      readonly kind: 'child_ended';
      readonly attemptId: AttemptId;
      readonly childRunId: RunId;
      readonly outcome: ChildOutcome;
      readonly endedAtMs?: number;
    }
  /** The step cannot be taken: no number where one is compared, inputs that are no list, no such job. */
  | { readonly kind: 'step_failed'; readonly attemptId: AttemptId; readonly failure: Failure }
  | { readonly kind: 'task_cancel_requested'; readonly attemptId: AttemptId }
  | {
      readonly kind: 'repair_requested';
      readonly repairId: number;
      readonly request: RepairRequest;
      /** `keep`: the run is active and has its place already. */
      readonly place: 'admit' | 'queue' | 'keep';
    }
  | {
      readonly kind: 'cancel_requested';
      readonly reason: Extract<StopReason, 'cancelled_by_user' | 'cancelled_by_system'>;
    };
