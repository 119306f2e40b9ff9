/** One step of a job, as clients write it. Fields we do not know are kept: a document comes back as it was sent. */
import { z } from 'zod';
import { LibrarySpec, NewCluster } from './clusters.ts';
import { textMap, wireBool, wireId, wireInt, wireIntBetween } from './wire.ts';

export const tasksMax = 1_000;
export const taskKeyCharsMax = 100;
export const descriptionCharsMax = 1_000;
/** A path longer than Linux allows cannot name a file. */
export const pathCharsMax = 4_096;
export const librariesMax = 100;
/** Command lines beyond this do not start on Linux; measured in entries, not bytes, to give a clear message. */
export const parametersMax = 10_000;

export const runIfValues = [
  'ALL_SUCCESS',
  'AT_LEAST_ONE_SUCCESS',
  'NONE_FAILED',
  'ALL_DONE',
  'AT_LEAST_ONE_FAILED',
  'ALL_FAILED',
] as const;

export const TaskKey = z
  .string()
  .min(1)
  .max(taskKeyCharsMax)
  .regex(/^[\w-]+$/);

const pathText = z.string().min(1).max(pathCharsMax);
const parameterList = z.array(z.string()).max(parametersMax);

export const sources = ['WORKSPACE', 'GIT'] as const;

export const NotebookTask = z.looseObject({
  notebook_path: pathText,
  base_parameters: textMap.optional(),
  source: z.enum(sources).optional(),
  warehouse_id: z.string().optional(),
});
export type NotebookTask = z.output<typeof NotebookTask>;

export const SparkPythonTask = z.looseObject({
  python_file: pathText,
  parameters: parameterList.optional(),
  source: z.enum(sources).optional(),
});
export type SparkPythonTask = z.output<typeof SparkPythonTask>;

export const PythonWheelTask = z.looseObject({
  package_name: z.string().min(1).max(255),
  entry_point: z.string().min(1).max(255),
  parameters: parameterList.optional(),
  named_parameters: textMap.optional(),
});
export type PythonWheelTask = z.output<typeof PythonWheelTask>;

/** Kinds that this version runs. */
export const runnableTaskKinds = ['notebook_task', 'spark_python_task', 'python_wheel_task'] as const;

/** Every kind of the public API: the others are accepted and kept, and refused where they would have to run. */
export const taskKinds = [
  ...runnableTaskKinds,
  'spark_jar_task',
  'spark_submit_task',
  'sql_task',
  'dbt_task',
  'dbt_cloud_task',
  'dbt_platform_task',
  'pipeline_task',
  'run_job_task',
  'condition_task',
  'for_each_task',
  'dashboard_task',
  'alert_task',
  'power_bi_task',
  'clean_rooms_notebook_task',
  'gen_ai_compute_task',
  'python_operator_task',
  'ai_function_task',
  'ai_runtime_task',
] as const;
export type TaskKind = (typeof taskKinds)[number];

const otherKind = z.looseObject({}).optional();

/** The fields that say what a task executes; a single-task job or run has them at its top. */
export const taskKindFields = {
  notebook_task: NotebookTask.optional(),
  spark_python_task: SparkPythonTask.optional(),
  python_wheel_task: PythonWheelTask.optional(),
  spark_jar_task: otherKind,
  spark_submit_task: otherKind,
  sql_task: otherKind,
  dbt_task: otherKind,
  dbt_cloud_task: otherKind,
  dbt_platform_task: otherKind,
  pipeline_task: otherKind,
  run_job_task: z.looseObject({ job_id: wireId }).optional(),
  condition_task: otherKind,
  for_each_task: otherKind,
  dashboard_task: otherKind,
  alert_task: otherKind,
  power_bi_task: otherKind,
  clean_rooms_notebook_task: otherKind,
  gen_ai_compute_task: otherKind,
  python_operator_task: otherKind,
  ai_function_task: otherKind,
  ai_runtime_task: otherKind,
};

/** The fields that say where a task runs and how it is retried. */
export const taskPlaceFields = {
  existing_cluster_id: z.string().max(255).optional(),
  new_cluster: NewCluster.optional(),
  libraries: z.array(LibrarySpec).max(librariesMax).optional(),
  timeout_seconds: wireIntBetween({ min: 0 }).optional(),
  /** Attempts after the first; -1 means for ever. */
  max_retries: wireIntBetween({ min: -1 }).optional(),
  min_retry_interval_millis: wireIntBetween({ min: 0 }).optional(),
  /** Ours: with it the interval doubles from the minimum up to this. */
  max_retry_interval_millis: wireIntBetween({ min: 0 }).optional(),
  retry_on_timeout: wireBool.optional(),
};

export const EmailNotifications = z.looseObject({
  on_start: z.array(z.string()).optional(),
  on_success: z.array(z.string()).optional(),
  on_failure: z.array(z.string()).optional(),
  on_duration_warning_threshold_exceeded: z.array(z.string()).optional(),
  on_streaming_backlog_exceeded: z.array(z.string()).optional(),
  no_alert_for_skipped_runs: wireBool.optional(),
});

const webhookList = z.array(z.looseObject({ id: z.string() })).max(3);

export const WebhookNotifications = z.looseObject({
  on_start: webhookList.optional(),
  on_success: webhookList.optional(),
  on_failure: webhookList.optional(),
  on_duration_warning_threshold_exceeded: webhookList.optional(),
  on_streaming_backlog_exceeded: webhookList.optional(),
});

export const NotificationSettings = z.looseObject({
  alert_on_last_attempt: wireBool.optional(),
  no_alert_for_canceled_runs: wireBool.optional(),
  no_alert_for_skipped_runs: wireBool.optional(),
});

export const HealthRules = z.looseObject({
  rules: z
    .array(z.looseObject({ metric: z.string(), op: z.enum(['GREATER_THAN']), value: wireInt }))
    .optional(),
});

export const TaskDependency = z.looseObject({ task_key: TaskKey, outcome: z.string().optional() });
export type TaskDependency = z.output<typeof TaskDependency>;

/** What a task's document may say, but its key: a run's task documents share these fields. */
export const taskFields = {
  description: z.string().max(descriptionCharsMax).optional(),
  depends_on: z.array(TaskDependency).max(tasksMax).optional(),
  run_if: z.enum(runIfValues).optional(),
  disabled: wireBool.optional(),
  job_cluster_key: z.string().max(taskKeyCharsMax).optional(),
  environment_key: z.string().max(taskKeyCharsMax).optional(),
  ...taskPlaceFields,
  ...taskKindFields,
  email_notifications: EmailNotifications.optional(),
  webhook_notifications: WebhookNotifications.optional(),
  notification_settings: NotificationSettings.optional(),
  health: HealthRules.optional(),
};

export const Task = z.looseObject({ task_key: TaskKey, ...taskFields }).superRefine((task, context) => {
  const problem = findKindProblem(task);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});
export type Task = z.output<typeof Task>;

/** Which kinds of work a document names; a task, or a settings document in the single-task form. */
export function findTaskKinds(document: Readonly<Record<string, unknown>>): readonly TaskKind[] {
  return taskKinds.filter((kind) => document[kind] !== undefined && document[kind] !== null);
}

/** One kind, or a condition beside one other kind: a guarded task, our extension. */
function findKindProblem(task: Readonly<Record<string, unknown>>): string | undefined {
  const kinds = findTaskKinds(task);
  if (kinds.length === 0) return `names nothing to run; give it one of ${runnableTaskKinds.join(', ')}`;
  const work = kinds.filter((kind) => kind !== 'condition_task');
  return work.length > 1
    ? `names several things to run (${work.join(', ')}); make one task of each`
    : undefined;
}
