/**
 * What follows from a change; each becomes one row, in the transaction that stores the change. `start_attempt` is
 * the task run's own row in state `queued`; `stop_attempt` the same row in state `stopping`.
 */
import type { AttemptId } from '../ids.ts';
import type { EndedResult, RunResult } from './state.ts';

export type Command =
  | { readonly kind: 'start_attempt'; readonly attemptId: AttemptId }
  | { readonly kind: 'stop_attempt'; readonly attemptId: AttemptId }
  | { readonly kind: 'notify'; readonly subject: NotifySubject };

export type NotifySubject =
  | { readonly kind: 'run_started' }
  | { readonly kind: 'run_ended'; readonly generation: number; readonly result: RunResult }
  | { readonly kind: 'task_ended'; readonly attemptId: AttemptId; readonly result: EndedResult };
