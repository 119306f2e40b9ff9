export {
  type AlertCheck,
  type AlertNews,
  type AlertOperator,
  type AlertState,
  type AlertValue,
  alertOperators,
  alertStates,
  decideAlertNews,
  evaluateAlert,
} from './alerts/evaluate-alert.ts';
export { assert, assertNever } from './assert.ts';
export {
  type AllPurposeState,
  type ClusterFacts,
  type ClusterHost,
  type ClusterMove,
  type ClusterNews,
  decideCluster,
  recoveryWindowMs,
  type Termination,
} from './cluster/decide-cluster.ts';
export {
  generationOf,
  poolOfSpare,
  preparedPoolId,
  toHostKey,
  toSpareClusterId,
} from './cluster/host-key.ts';
export { type ConditionVerdict, evaluateCondition, looksNumeric } from './conditions/evaluate-condition.ts';
export { findDefinition, type Graph, graphOf } from './graph/graph.ts';
export { findGraphProblems, type GraphNode, type GraphProblem } from './graph/problems.ts';
export { decideByRunIf } from './graph/ready.ts';
export type { AttemptId, JobId, RunId } from './ids.ts';
export { toAttemptId, toJobId, toRunId } from './ids.ts';
export { inputsMax, type ParsedInputs, parseInputs } from './parameters/parse-inputs.ts';
export { quoteText } from './parameters/quote-text.ts';
export { hasReference } from './parameters/reference-paths.ts';
export {
  findReferenceProblems,
  type ReferencedTask,
  type ReferenceScope,
  resolveReferences,
  type TaskOutput,
} from './parameters/references.ts';
export {
  byUrgency,
  decidePrepared,
  type PreparedDecision,
  type PreparedHost,
  type PreparedWish,
} from './preparation/decide-prepared.ts';
export {
  type ExpectedStart,
  expectByHabit,
  expectBySchedule,
  habitWindows,
  preparedLeadMs,
  preparedLingerMs,
} from './preparation/expect-start.ts';
export { admit } from './queue/admit.ts';
export {
  endpointLabel,
  endpointLabels,
  hasLabels,
  mayTake,
  noLabels,
  sqlEndpointsMax,
  type WorkerLabels,
} from './queue/worker-labels.ts';
export { retryDueAtMs } from './retry/retry-due.ts';
export { type AdvanceContext, advance } from './run/advance.ts';
export { runCan } from './run/can.ts';
export type { Command, NotifySubject } from './run/commands.ts';
export { assembleRun, newRun } from './run/create.ts';
export type { Decision } from './run/decisions.ts';
export type { AdvanceResult, TaskRunChange } from './run/draft.ts';
export { queuedMsMax } from './run/end-run.ts';
export type { AttemptOutcome, ChildOutcome, RunEvent } from './run/events.ts';
export { currentDefinition, findAskedLabels, findDefinitionOf, findTaskRun } from './run/find-task-run.ts';
export { brokenInvariants } from './run/invariants.ts';
export { nextStep, type Step } from './run/next-step.ts';
export { planRepair, type RepairPlan, type RepairRefusal, type RepairRequest } from './run/repair.ts';
export type {
  ConditionEvaluation,
  Dependency,
  EndedResult,
  Failure,
  FailureCode,
  Generation,
  JsonValue,
  RepairFacts,
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
  TaskWork,
} from './run/state.ts';
export { endedResults, failureCodes, runIfValues, runResults, slotOf, stopReasons } from './run/state.ts';
export { wakeAtMs } from './run/wake.ts';
export { nextFireAfter } from './trigger/next-fire.ts';
export { type CronDays, type CronExpression, parseCron } from './trigger/parse-cron.ts';
export { type QuartzReading, toQuartz } from './trigger/to-quartz.ts';
export { ZoneOffsets } from './trigger/zone-offsets.ts';
