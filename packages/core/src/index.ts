export type { AttemptId, JobId, RunId } from './ids.ts';
export { toAttemptId, toJobId, toRunId } from './ids.ts';
export type { Command, NotifySubject } from './run/commands.ts';
export type { AttemptOutcome, RunEvent } from './run/events.ts';
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
