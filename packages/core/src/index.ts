export { assert, assertNever } from './assert.ts';
export { type Graph, graphOf } from './graph/graph.ts';
export { findGraphProblems, type GraphNode, type GraphProblem } from './graph/problems.ts';
export { decideByRunIf } from './graph/ready.ts';
export type { AttemptId, JobId, RunId } from './ids.ts';
export { toAttemptId, toJobId, toRunId } from './ids.ts';
export {
  findReferenceProblems,
  type ReferencedTask,
  type ReferenceScope,
  resolveReferences,
} from './parameters/references.ts';
export { admit } from './queue/admit.ts';
export { retryDueAtMs } from './retry/retry-due.ts';
export { type AdvanceContext, advance } from './run/advance.ts';
export { runCan } from './run/can.ts';
export type { Command, NotifySubject } from './run/commands.ts';
export { newRun } from './run/create.ts';
export type { AdvanceResult, TaskRunChange } from './run/draft.ts';
export type { AttemptOutcome, RunEvent } from './run/events.ts';
export { brokenInvariants } from './run/invariants.ts';
export type {
  EndedResult,
  Failure,
  FailureCode,
  Generation,
  JsonValue,
  RetryPolicy,
  Run,
  RunDefinition,
  RunIf,
  RunPhase,
  RunResult,
  StopReason,
  TaskDefinition,
  TaskRun,
  TaskRunState,
} from './run/state.ts';
export { endedResults, failureCodes, runIfValues, runResults, stopReasons } from './run/state.ts';
export { wakeAtMs } from './run/wake.ts';
