/** Why a task ended without having run: recorded with the change, for whoever asks later. */
import type { AttemptId } from '../ids.ts';
import type { ConditionEvaluation, EndedResult, RunIf } from './state.ts';

export type Decision =
  | {
      readonly kind: 'run_if_not_met';
      readonly attemptId: AttemptId;
      readonly runIf: RunIf;
      readonly result: EndedResult;
      /** Those that decided, not all: a task may depend on hundreds. */
      readonly parents: readonly { readonly key: string; readonly result: EndedResult }[];
    }
  | {
      readonly kind: 'guard_not_met';
      readonly attemptId: AttemptId;
      readonly evaluation: ConditionEvaluation;
    };

/** More would not fit a sentence. */
export const parentsToldMax = 10;
