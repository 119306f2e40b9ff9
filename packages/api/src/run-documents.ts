/** How a run and its tasks look on the wire, with both descriptions of their state: old clients read only `state`. */
import { z } from 'zod';
import { alertStateNames } from './alerts.ts';
import { GitSource } from './git.ts';
import { JobCluster } from './jobs.ts';
import { runParameterFields } from './run-parameters.ts';
import { ConditionTask, ForEachTask, RunJobTask, TaskExtra, taskFields } from './tasks.ts';
import { epochMs, JsonValue } from './wire.ts';

export const lifeCycleStates = [
  'QUEUED',
  'PENDING',
  'BLOCKED',
  'WAITING_FOR_RETRY',
  'RUNNING',
  'TERMINATING',
  'TERMINATED',
  'SKIPPED',
  'INTERNAL_ERROR',
] as const;
export type LifeCycleState = (typeof lifeCycleStates)[number];

export const resultStates = [
  'SUCCESS',
  'SUCCESS_WITH_FAILURES',
  'FAILED',
  'TIMEDOUT',
  'CANCELED',
  'DISABLED',
  'EXCLUDED',
  'MAXIMUM_CONCURRENT_RUNS_REACHED',
  'UPSTREAM_CANCELED',
  'UPSTREAM_FAILED',
] as const;
export type ResultState = (typeof resultStates)[number];

export const RunState = z.looseObject({
  life_cycle_state: z.enum(lifeCycleStates),
  result_state: z.enum(resultStates).optional(),
  state_message: z.string().optional(),
  user_cancelled_or_timedout: z.boolean().optional(),
  queue_reason: z.string().optional(),
});
export type RunState = z.output<typeof RunState>;

export const statusStates = [
  'QUEUED',
  'PENDING',
  'BLOCKED',
  'WAITING',
  'RUNNING',
  'TERMINATING',
  'TERMINATED',
] as const;
export type StatusState = (typeof statusStates)[number];

export const terminationCodes = [
  'SUCCESS',
  'SUCCESS_WITH_FAILURES',
  'USER_CANCELED',
  'CANCELED',
  'SKIPPED',
  'DISABLED',
  'INTERNAL_ERROR',
  'DRIVER_ERROR',
  'CLUSTER_ERROR',
  'REPOSITORY_CHECKOUT_FAILED',
  'INVALID_CLUSTER_REQUEST',
  'WORKSPACE_RUN_LIMIT_EXCEEDED',
  'FEATURE_DISABLED',
  'CLUSTER_REQUEST_LIMIT_EXCEEDED',
  'STORAGE_ACCESS_ERROR',
  'RUN_EXECUTION_ERROR',
  'UNAUTHORIZED_ERROR',
  'LIBRARY_INSTALLATION_ERROR',
  'MAX_CONCURRENT_RUNS_EXCEEDED',
  'MAX_SPARK_CONTEXTS_EXCEEDED',
  'MAX_JOB_QUEUE_SIZE_EXCEEDED',
  'RESOURCE_NOT_FOUND',
  'INVALID_RUN_CONFIGURATION',
  'CLOUD_FAILURE',
  'BUDGET_POLICY_LIMIT_EXCEEDED',
  'BREAKING_CHANGE',
] as const;
export type TerminationCode = (typeof terminationCodes)[number];

export const terminationTypes = ['SUCCESS', 'CLIENT_ERROR', 'CLOUD_FAILURE', 'INTERNAL_ERROR'] as const;
export const queueCodes = [
  'ACTIVE_RUNS_LIMIT_REACHED',
  'ACTIVE_RUN_JOB_TASKS_LIMIT_REACHED',
  'MAX_CONCURRENT_RUNS_REACHED',
] as const;

export const RunStatus = z.looseObject({
  state: z.enum(statusStates),
  queue_details: z.looseObject({ code: z.enum(queueCodes), message: z.string() }).optional(),
  termination_details: z
    .looseObject({ code: z.enum(terminationCodes), type: z.enum(terminationTypes), message: z.string() })
    .optional(),
});
export type RunStatus = z.output<typeof RunStatus>;

export const triggerTypes = [
  'PERIODIC',
  'ONE_TIME',
  'RETRY',
  'RUN_JOB_TASK',
  'FILE_ARRIVAL',
  'TABLE',
  'CONTINUOUS',
  'CONTINUOUS_RESTART',
  'JOB_COMPLETION',
] as const;
export const runTypes = ['JOB_RUN', 'WORKFLOW_RUN', 'SUBMIT_RUN'] as const;

/** Instants in epoch ms (0: not yet), durations in ms. Each attempt of each task is a task run of its own. */
const courseFields = {
  attempt_number: z.int(),
  start_time: epochMs,
  end_time: epochMs,
  setup_duration: z.int(),
  execution_duration: z.int(),
  cleanup_duration: z.int(),
  queue_duration: z.int().optional(),
  run_duration: z.int().optional(),
  run_page_url: z.string(),
  state: RunState,
  status: RunStatus,
};

const clusterInstance = z.looseObject({ cluster_id: z.string(), spark_context_id: z.string().optional() });

export const ForEachStats = z.looseObject({
  task_run_stats: z
    .looseObject({
      total_iterations: z.int(),
      /** Have begun or ended. */
      scheduled_iterations: z.int(),
      active_iterations: z.int(),
      completed_iterations: z.int(),
      succeeded_iterations: z.int(),
      failed_iterations: z.int(),
    })
    .optional(),
  error_message_stats: z
    .array(
      z.looseObject({
        error_message: z.string(),
        count: z.int(),
        termination_category: z.string().optional(),
      }),
    )
    .optional(),
});
export type ForEachStats = z.output<typeof ForEachStats>;

/** Which worker took an attempt, and its machine as the worker last signed on. */
const AttemptWorker = z.looseObject({
  worker_id: z.string(),
  /** Null for one inside a server, and where the worker is no longer known. */
  hostname: z.string().nullable(),
  /** Inside a server. */
  is_local: z.boolean(),
});

export const RunTaskDocument = z.looseObject({
  ...taskFields,
  run_id: z.int(),
  task_key: z.string(),
  ...courseFields,
  /** Once evaluated: both sides with their references replaced, and what came of it. */
  condition_task: ConditionTask.extend({ outcome: z.enum(['true', 'false']).optional() }).optional(),
  for_each_task: ForEachTask.extend({ stats: ForEachStats.optional() }).optional(),
  /** `run_id` is ours: the run that this task started. */
  run_job_task: RunJobTask.extend({ run_id: z.int().optional() }).optional(),
  /** Of a task that is read from it, with the commit that was used. */
  git_source: GitSource.optional(),
  cluster_instance: clusterInstance.optional(),
  /** With `include_resolved_values`: parameters with their references replaced. */
  resolved_values: z.looseObject({}).optional(),
  /** Ours. `iteration`: of a for-each, the position of its input from 0. `worker`: once one has taken it. */
  headrace: TaskExtra.extend({
    iteration: z.int().optional(),
    worker: AttemptWorker.optional(),
  }).optional(),
});
export type RunTaskDocument = z.output<typeof RunTaskDocument>;

/** One execution of a run: the first, or a repair. */
export const RepairHistoryItem = z.looseObject({
  type: z.enum(['ORIGINAL', 'REPAIR']),
  /** Of a repair: what `runs/repair` answered. */
  id: z.int().optional(),
  start_time: epochMs,
  end_time: epochMs,
  state: RunState,
  status: RunStatus,
  task_run_ids: z.array(z.int()),
});
export type RepairHistoryItem = z.output<typeof RepairHistoryItem>;

export const RunDocument = z.looseObject({
  job_id: z.int().optional(),
  run_id: z.int(),
  job_run_id: z.int().optional(),
  number_in_job: z.int().optional(),
  original_attempt_run_id: z.int().optional(),
  run_name: z.string(),
  run_type: z.enum(runTypes),
  creator_user_name: z.string(),
  trigger: z.enum(triggerTypes),
  /** Of a run that a task of another run started: the id of that task run. */
  trigger_info: z.looseObject({ run_id: z.int().optional() }).optional(),
  ...courseFields,
  description: z.string().optional(),
  tasks: z.array(RunTaskDocument).optional(),
  /** Of a for-each task's own run, in place of `tasks`. */
  iterations: z.array(RunTaskDocument).optional(),
  job_clusters: z.array(JobCluster).optional(),
  job_parameters: z
    .array(z.looseObject({ name: z.string(), default: z.string().optional(), value: z.string().optional() }))
    .optional(),
  overriding_parameters: z.looseObject(runParameterFields).optional(),
  /** With the commit that a branch or tag stood for. */
  git_source: GitSource.optional(),
  cluster_instance: clusterInstance.optional(),
  /** Ours. `deployment`: the version of a bundle that it ran. */
  headrace: z
    .looseObject({
      deployment: z
        .looseObject({ deployment_id: z.int(), version: z.int(), resource: z.string().optional() })
        .optional(),
    })
    .optional(),
  /** With `include_history`, the original execution first. */
  repair_history: z.array(RepairHistoryItem).optional(),
  has_more: z.boolean().optional(),
  next_page_token: z.string().optional(),
});
export type RunDocument = z.output<typeof RunDocument>;

const sqlResult = z.looseObject({
  columns: z.array(z.looseObject({ name: z.string() })),
  /** Without `string_value`: NULL. */
  rows: z.array(z.looseObject({ values: z.array(z.looseObject({ string_value: z.string().optional() })) })),
  truncated: z.boolean(),
});

/** What a SQL task ran, and its last result. `query_result` of a saved query is ours. */
const sqlWorkOutput = z.looseObject({
  query_text: z.string(),
  warehouse_id: z.string().optional(),
  sql_statements: z.array(z.looseObject({ lookup_key: z.string() })),
  query_result: sqlResult.optional(),
});
export type SqlWorkOutput = z.output<typeof sqlWorkOutput>;

/** How one node of a dbt project came out. */
const dbtNodeResult = z.looseObject({
  unique_id: z.string(),
  status: z.string(),
  execution_time: z.number().optional(),
  message: z.string().optional(),
});

export const DbtOutput = z.looseObject({
  /** A gzipped tar of the project's `target` and `logs`: manifest.json, run_results.json and what they name. */
  artifacts_link: z.string().optional(),
  artifacts_headers: z.record(z.string(), z.string()).optional(),
  /** Ours. */
  headrace: z
    .looseObject({
      commands: z.array(
        z.looseObject({ command: z.string(), success: z.boolean(), results: z.array(dbtNodeResult) }),
      ),
    })
    .optional(),
});
export type DbtOutput = z.output<typeof DbtOutput>;

export const RunOutput = z.looseObject({
  metadata: RunDocument,
  notebook_output: z
    .looseObject({ result: z.string().optional(), truncated: z.boolean().optional() })
    .optional(),
  /** Standard output and error of a Python task, its end if it is long. */
  logs: z.string().optional(),
  logs_truncated: z.boolean().optional(),
  /** The exception's last line. */
  error: z.string().optional(),
  error_trace: z.string().optional(),
  info: z.string().optional(),
  /** The run that a task started. */
  run_job_output: z.looseObject({ run_id: z.int().optional() }).optional(),
  sql_output: z
    .looseObject({
      query_output: sqlWorkOutput.optional(),
      file_output: sqlWorkOutput.optional(),
      alert_output: sqlWorkOutput.extend({ alert_state: z.enum(alertStateNames) }).optional(),
    })
    .optional(),
  dbt_output: DbtOutput.optional(),
});
export type RunOutput = z.output<typeof RunOutput>;

/** One message of the live stream: all task runs in the first, those that changed in each later one. */
export const RunEvent = z.looseObject({
  version: z.int(),
  run_id: z.int(),
  at_ms: epochMs,
  state: RunState,
  status: RunStatus,
  tasks: z.array(RunTaskDocument),
  /** Nothing follows. */
  ended: z.boolean(),
});
export type RunEvent = z.output<typeof RunEvent>;

const columns = z.array(z.looseObject({ name: z.string(), type: z.string() }));

export const NotebookOutput = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('text'), text: z.string(), stream: z.literal('stderr').optional() }),
  z.looseObject({ kind: z.literal('html'), html: z.string() }),
  z.looseObject({ kind: z.literal('image'), mime: z.string(), base64: z.string() }),
  z.looseObject({
    kind: z.literal('table'),
    columns,
    rows: z.array(z.array(JsonValue)),
    truncated: z.boolean(),
    /** Which limit has cut it. */
    note: z.string().optional(),
  }),
  z.looseObject({ kind: z.literal('error'), message: z.string(), trace: z.string() }),
]);
export type NotebookOutput = z.output<typeof NotebookOutput>;

export const NotebookCell = z.looseObject({
  language: z.enum(['python', 'sql', 'markdown', 'run']),
  source: z.string(),
  state: z.enum(['waiting', 'running', 'succeeded', 'failed', 'skipped']),
  title: z.string().optional(),
  started_at_ms: z.number().nullable().optional(),
  elapsed_ms: z.number().nullable(),
  outputs: z.array(NotebookOutput),
});
export type NotebookCell = z.output<typeof NotebookCell>;

/** A notebook as it ran; the worker's protocol defines the same document. */
export const NotebookDocument = z.looseObject({
  version: z.int(),
  path: z.string(),
  cells: z.array(NotebookCell),
});
export type NotebookDocument = z.output<typeof NotebookDocument>;
