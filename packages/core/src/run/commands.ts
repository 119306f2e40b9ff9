/**
 * What follows from a change; each becomes one row, in the transaction that stores the change. `start_attempt` is
 * the task run's own row in state `queued`, `take_step` the same row in state `ready`, `stop_attempt` in `stopping`.
 */
import type { AttemptId } from '../ids.ts';
import type { EndedResult, RunResult } from './state.ts';

export type Command =
  | { readonly kind: 'start_attempt'; readonly attemptId: AttemptId }
  /** Evaluate, expand, or start the other job's run; for the first two the answer belongs into the same batch. */
  | { readonly kind: 'take_step'; readonly attemptId: AttemptId }
  | { readonly kind: 'stop_attempt'; readonly attemptId: AttemptId }
  | { readonly kind: 'notify'; readonly subject: NotifySubject };

export type NotifySubject =
  | { readonly kind: 'run_started'; readonly generation: number }
  | { readonly kind: 'run_ended'; readonly generation: number; readonly result: RunResult }
  | { readonly kind: 'task_ended'; readonly attemptId: AttemptId; readonly result: EndedResult };
