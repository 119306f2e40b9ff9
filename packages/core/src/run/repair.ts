/** Which tasks a repair runs again: the same answer for the preview, the request and the run itself. */
import type { RunDefinition } from './state.ts';

export interface RepairRequest {
  /** Task keys. */
  readonly rerunTasks: readonly string[];
  /** All tasks that failed, timed out, were cancelled or were skipped for such a task. */
  readonly rerunAllFailed: boolean;
  /** With the chosen tasks all that depend on them. */
  readonly rerunDependent: boolean;
  /** Repair although the run is active: refused if a chosen task or one that depends on it is live. */
  readonly whileActive: boolean;
  /** Must name the last repair, where there is one. */
  readonly latestRepairId: number | null;
  /** What the repair runs: the job as it is now, or as it was. */
  readonly definition: RunDefinition;
  readonly changesParameters: boolean;
}

export type RepairPlan =
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'planned';
      /** In graph order. `rerun`: a new attempt; `reuse`: its result stands; `skip`: chosen, and its parents keep it from running. */
      readonly tasks: readonly { readonly key: string; readonly action: 'rerun' | 'reuse' | 'skip' }[];
      readonly reusesIterations: boolean;
    };
