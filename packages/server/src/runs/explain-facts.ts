/** What is known about why a run or a task stands where it does. Wire names: facts go out as they are. */
import type { ConditionOp } from '@headrace/api';
import type { EndedResult, RunIf, RunResult, StopReason, TaskRunState, WorkerLabels } from '@headrace/core';
import type { WorkerSilence } from './worker-silence.ts';

export type RunFact =
  | {
      readonly kind: 'run_queued';
      /** 1 goes next. */
      readonly position: number;
      readonly active_runs: number;
      readonly max_concurrent_runs: number;
      readonly since_ms: number;
      readonly gives_up_at_ms: number;
    }
  | { readonly kind: 'run_skipped'; readonly reason: 'no_place' | 'waited_too_long'; readonly at_ms: number }
  | { readonly kind: 'run_running'; readonly since_ms: number }
  | { readonly kind: 'run_stopping'; readonly reason: StopReason; readonly since_ms: number }
  | {
      readonly kind: 'run_ended';
      readonly result: RunResult;
      readonly at_ms: number;
      /** The task that decided it, and the last line of what it said. */
      readonly cause_task_key?: string;
      readonly message?: string;
      /** Of a run that succeeded all the same: the first tasks that failed. */
      readonly failed_task_keys?: readonly string[];
      /** It was the work of this task run, which has ended. */
      readonly parent_task_run_id?: number;
    }
  /** Tasks in motion that are not told one by one. */
  | { readonly kind: 'more_tasks'; readonly count: number };

export interface TaskSubject {
  readonly task_key: string;
  readonly iteration?: number;
}

export interface ConditionSides {
  readonly left: string;
  readonly op: ConditionOp | null;
  readonly right: string;
}

export type TaskFact = TaskSubject &
  (
    | {
        readonly kind: 'waits_for_tasks';
        /** The first ones; `count` has all. */
        readonly tasks: readonly { readonly task_key: string; readonly state: TaskRunState['kind'] }[];
        readonly count: number;
      }
    | { readonly kind: 'waits_for_run' }
    | {
        readonly kind: 'skipped_by_run_if';
        readonly result: EndedResult;
        readonly run_if: RunIf;
        readonly parents: readonly { readonly task_key: string; readonly result: EndedResult }[];
      }
    | ({
        readonly kind: 'excluded_by_branch';
        readonly condition_task_key: string;
        readonly outcome: boolean;
      } & ConditionSides)
    | ({ readonly kind: 'excluded_by_guard' } & ConditionSides)
    | ({ readonly kind: 'condition_evaluated'; readonly outcome: boolean } & ConditionSides)
    | { readonly kind: 'disabled' }
    | {
        readonly kind: 'waits_for_retry';
        readonly due_at_ms: number;
        /** As the task run's document counts: 0 is the first. */
        readonly attempt_number: number;
      }
    | {
        readonly kind: 'waits_for_worker';
        readonly since_ms: number;
        /** 1 goes next. */
        readonly position: number;
        /** What it asks for; left out where it asks for nothing. The numbers are of workers that have it. */
        readonly worker_labels?: WorkerLabels;
        readonly workers: number;
        readonly slots: number;
        readonly free_slots: number;
        /** The first ones. */
        readonly full_worker_ids?: readonly string[];
        /** The first ones that could take it, have not been heard of and so do not count above. */
        readonly silent_workers?: readonly WorkerSilence[];
      }
    | {
        readonly kind: 'waits_for_cluster';
        readonly since_ms: number;
        readonly worker_id: string;
        readonly cluster_id: string | null;
        readonly host_state: string | null;
        readonly message: string | null;
        readonly silence?: WorkerSilence;
      }
    | { readonly kind: 'waits_for_child_to_be_made' }
    | { readonly kind: 'waits_for_child_run'; readonly run_id: number; readonly state: string }
    | { readonly kind: 'waits_for_turn'; readonly begun: number; readonly total: number }
    | {
        readonly kind: 'running';
        readonly since_ms: number;
        readonly worker_id: string | null;
        /** Only while its worker is not heard of. */
        readonly silence?: WorkerSilence;
        /** Only while its Spark driver, or the host of that, does not answer. */
        readonly host_message?: string;
      }
    | {
        readonly kind: 'iterations';
        readonly total: number;
        readonly completed: number;
        readonly active: number;
        readonly failed: number;
      }
    | {
        readonly kind: 'stopping';
        readonly reason: StopReason;
        readonly since_ms: number;
        readonly silence?: WorkerSilence;
        readonly host_message?: string;
      }
    | {
        readonly kind: 'ended';
        readonly result: EndedResult;
        readonly at_ms: number;
        readonly attempt_number: number;
        readonly reason?: StopReason;
        /** The last line of what it said. */
        readonly message?: string;
      }
  );

/** More do not fit a sentence. */
export const toldMax = 10;

export function lastLineOf(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}
