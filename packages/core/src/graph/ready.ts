/**
 * May a task start, by its run_if? The table is in the project's decisions ("Graph rules"); asked only when every
 * parent has ended.
 */
import { assertNever } from '../assert.ts';
import type { EndedResult, RunIf } from '../run/state.ts';

/** `'run'`, or the result with which the task ends without having run. */
export function decideByRunIf(runIf: RunIf, parents: readonly EndedResult[]): 'run' | EndedResult {
  if (parents.length === 0) return 'run';
  if (parents.every((result) => result === 'excluded')) return 'excluded';
  switch (runIf) {
    case 'ALL_SUCCESS':
      return parents.every((result) => result === 'succeeded') ? 'run' : causeOf(parents);
    case 'AT_LEAST_ONE_SUCCESS':
      return parents.some((result) => result === 'succeeded') ? 'run' : causeOf(parents);
    case 'NONE_FAILED':
      return parents.some(countsAsFailed) ? causeOf(parents) : 'run';
    case 'ALL_DONE':
      return 'run';
    case 'AT_LEAST_ONE_FAILED':
      return parents.some(countsAsFailed) ? 'run' : 'excluded';
    case 'ALL_FAILED':
      return parents.every(countsAsFailed) ? 'run' : 'excluded';
    default:
      return assertNever(runIf);
  }
}

export function isFailed(result: EndedResult): boolean {
  return (
    result === 'failed' ||
    result === 'timed_out' ||
    result === 'upstream_failed' ||
    result === 'internal_error'
  );
}

/** A task run that was cancelled on its own counts as failed for the rules that ask about failure. */
function countsAsFailed(result: EndedResult): boolean {
  return isFailed(result) || result === 'cancelled';
}

/** Of several causes the gravest is told: failed, then cancelled, then disabled, then excluded. */
function causeOf(parents: readonly EndedResult[]): EndedResult {
  if (parents.some(isFailed)) return 'upstream_failed';
  if (parents.some((result) => result === 'cancelled' || result === 'upstream_cancelled'))
    return 'upstream_cancelled';
  if (parents.some((result) => result === 'disabled')) return 'disabled';
  return 'excluded';
}
