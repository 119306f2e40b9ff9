/**
 * Branded ids. All are safe integers (below 2^53) from one sequence of the store, so that no two things of a
 * workspace share a number.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

export type JobId = Branded<'JobId'>;
export type RunId = Branded<'RunId'>;
/** One attempt of one task; on the wire it is the `run_id` of a task run. */
export type AttemptId = Branded<'AttemptId'>;

export const toJobId = (value: number): JobId => safeId(value) as JobId;
export const toRunId = (value: number): RunId => safeId(value) as RunId;
export const toAttemptId = (value: number): AttemptId => safeId(value) as AttemptId;

function safeId(value: number): number {
  if (!Number.isSafeInteger(value) || value <= 0) throw new Error(`not an id: ${value}`);
  return value;
}
