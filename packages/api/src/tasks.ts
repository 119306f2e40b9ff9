/** One step of a job, as clients write it. Fields we do not know are kept: a document comes back as it was sent. */
import { z } from 'zod';
import { LibrarySpec, NewCluster } from './clusters.ts';
import { runParameterFields } from './run-parameters.ts';
import {
  JsonValue,
  textMap,
  wireBool,
  wireId,
  wireInt,
  wireIntBetween,
  wireOneOf,
  wireText,
} from './wire.ts';
import { AskedLabels } from './worker-labels.ts';

export const tasksMax = 1_000;
export const taskKeyCharsMax = 100;
/** A key is part of an index; no name that a person reads is longer. */
export const runTaskKeyCharsMax = 500;
export const descriptionCharsMax = 1_000;
/** A path longer than Linux allows cannot name a file. */
export const pathCharsMax = 4_096;
export const librariesMax = 100;
/** Command lines beyond this do not start on Linux; measured in entries, not bytes, to give a clear message. */
export const parametersMax = 10_000;
/** As many as a for-each of the hosted product takes. */
export const forEachInputsMax = 5_000;
export const forEachConcurrencyMax = 100;

/** Less is not enough for a Python process. */
export const taskMegabytesMin = 64;

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

/** Of the tasks of a run: that of a run in the single-task form is its name, whatever characters it has. */
export const RunTaskKey = z.string().min(1).max(runTaskKeyCharsMax);

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

export const SparkJarTask = z.looseObject({
  /** Required; that it is missing is said in words by the server. */
  main_class_name: z.string().max(pathCharsMax).optional(),
  parameters: parameterList.optional(),
  /** Of old documents; new ones name the JAR in `libraries`. */
  jar_uri: z.string().max(pathCharsMax).optional(),
});
export type SparkJarTask = z.output<typeof SparkJarTask>;

/** As on the command line of `spark-submit`. */
export const SparkSubmitTask = z.looseObject({ parameters: parameterList.optional() });
export type SparkSubmitTask = z.output<typeof SparkSubmitTask>;

/** The first two compare texts, the others numbers. */
export const conditionOps = [
  'EQUAL_TO',
  'NOT_EQUAL',
  'GREATER_THAN',
  'GREATER_THAN_OR_EQUAL',
  'LESS_THAN',
  'LESS_THAN_OR_EQUAL',
] as const;
export type ConditionOp = (typeof conditionOps)[number];

export const ConditionTask = z.looseObject({ op: z.enum(conditionOps), left: wireText, right: wireText });
export type ConditionTask = z.output<typeof ConditionTask>;

export const RunJobTask = z.looseObject({
  job_id: wireId,
  job_parameters: textMap.optional(),
  ...runParameterFields,
});
export type RunJobTask = z.output<typeof RunJobTask>;

const warehouseId = z.string().max(255).optional();

/** One of `query`, `file`, `alert` and `dashboard`; the server says in words what is missing. */
export const SqlTask = z.looseObject({
  /** Left out: the default warehouse. */
  warehouse_id: warehouseId,
  query: z.looseObject({ query_id: z.string().min(1).max(255) }).optional(),
  file: z.looseObject({ path: pathText, source: z.enum(sources).optional() }).optional(),
  alert: z
    .looseObject({
      alert_id: z.string().min(1).max(255),
      /** It is evaluated, and nobody is told. */
      pause_subscriptions: wireBool.optional(),
      subscriptions: z
        .array(
          z.looseObject({
            user_name: z.string().max(255).optional(),
            destination_id: z.string().max(255).optional(),
          }),
        )
        .max(100)
        .optional(),
    })
    .optional(),
  dashboard: z.looseObject({ dashboard_id: z.string().max(255) }).optional(),
  parameters: textMap.optional(),
});
export type SqlTask = z.output<typeof SqlTask>;

export const dbtCommandsMax = 10;

export const DbtTask = z.looseObject({
  /** `dbt run --select marts+`, as on a command line. */
  commands: z.array(z.string().max(pathCharsMax)).max(dbtCommandsMax).optional(),
  /** Of a project in Git the root of the repository where it is left out. */
  project_directory: z.string().max(pathCharsMax).optional(),
  /** Where a profiles.yml of the project's own is; left out, one is made. */
  profiles_directory: z.string().max(pathCharsMax).optional(),
  source: z.enum(sources).optional(),
  warehouse_id: warehouseId,
  catalog: z.string().max(255).optional(),
  schema: z.string().max(255).optional(),
});
export type DbtTask = z.output<typeof DbtTask>;

/** Kinds that this version runs. */
export const runnableTaskKinds = [
  'notebook_task',
  'spark_python_task',
  'python_wheel_task',
  'spark_jar_task',
  'spark_submit_task',
  'condition_task',
  'for_each_task',
  'run_job_task',
  'sql_task',
  'dbt_task',
] as const;

/** Every kind of the public API: the others are accepted and kept, and refused where they would have to run. */
export const taskKinds = [
  ...runnableTaskKinds,
  'dbt_cloud_task',
  'dbt_platform_task',
  'pipeline_task',
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

/** Every kind but the for-each, whose own task has one of these. */
const nestableKindFields = {
  notebook_task: NotebookTask.optional(),
  spark_python_task: SparkPythonTask.optional(),
  python_wheel_task: PythonWheelTask.optional(),
  spark_jar_task: SparkJarTask.optional(),
  spark_submit_task: SparkSubmitTask.optional(),
  sql_task: SqlTask.optional(),
  dbt_task: DbtTask.optional(),
  dbt_cloud_task: otherKind,
  dbt_platform_task: otherKind,
  pipeline_task: otherKind,
  run_job_task: RunJobTask.optional(),
  condition_task: ConditionTask.optional(),
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

/** `true` and `false`: the branch after a condition. `SUCCESS`: after any other task, says nothing more. */
export const dependencyOutcomes = ['true', 'false', 'SUCCESS'] as const;

export const TaskDependency = z.looseObject({
  task_key: TaskKey,
  outcome: wireOneOf(dependencyOutcomes).optional(),
});
export type TaskDependency = z.output<typeof TaskDependency>;

/** Settings of our own; ignored by others, kept by them. */
export const TaskExtra = z.looseObject({
  /** Only a worker that has all of these takes the task. A for-each gives them to its iterations. */
  worker_labels: AskedLabels.optional(),
  /** Beyond it the task is ended. Without it: half of the machine's memory. */
  memory_mb: wireIntBetween({ min: taskMegabytesMin }).optional(),
  /** Of its working folder. Without it: as much as it leaves free. */
  disk_mb: wireIntBetween({ min: taskMegabytesMin }).optional(),
  /** Its share of processors that others want as well; 100, that of a task without one, is the most. */
  cpu_weight: wireIntBetween({ min: 1, max: 100 }).optional(),
});

const anyTaskFields = {
  description: z.string().max(descriptionCharsMax).optional(),
  depends_on: z.array(TaskDependency).max(tasksMax).optional(),
  run_if: z.enum(runIfValues).optional(),
  disabled: wireBool.optional(),
  job_cluster_key: z.string().max(taskKeyCharsMax).optional(),
  environment_key: z.string().max(taskKeyCharsMax).optional(),
  ...taskPlaceFields,
  ...nestableKindFields,
  email_notifications: EmailNotifications.optional(),
  webhook_notifications: WebhookNotifications.optional(),
  notification_settings: NotificationSettings.optional(),
  health: HealthRules.optional(),
  headrace: TaskExtra.optional(),
};

/** What each iteration of a for-each is. */
export const NestedTask = z
  .looseObject({ task_key: TaskKey, ...anyTaskFields, for_each_task: z.any().optional() })
  .superRefine((task, context) => {
    for (const { field, message } of findNestingProblems(task))
      context.addIssue({ code: 'custom', path: field === null ? [] : [field], message });
  });
export type NestedTask = z.output<typeof NestedTask>;

export const ForEachTask = z.looseObject({
  /** A JSON array, a reference to one, or the list itself, as people write it in YAML. */
  inputs: z.union([z.string(), z.array(JsonValue).max(forEachInputsMax)]),
  /** Iterations under way at a time; one if it is left out. */
  concurrency: wireIntBetween({ min: 1, max: forEachConcurrencyMax }).optional(),
  task: NestedTask,
});
export type ForEachTask = z.output<typeof ForEachTask>;

/** The fields that say what a task executes; a single-task job or run has them at its top. */
export const taskKindFields = { ...nestableKindFields, for_each_task: ForEachTask.optional() };

/** What a task's document may say, but its key: a run's task documents share these fields. */
export const taskFields = { ...anyTaskFields, ...taskKindFields };

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

const outside = 'an iteration depends on nothing of its own; write this beside for_each_task';

/** An iteration waits for its for-each alone; the default of `run_if` says the same and is let through. */
function findNestingProblems(task: {
  readonly depends_on?: readonly unknown[] | undefined;
  readonly run_if?: string | undefined;
  readonly for_each_task?: unknown;
}): { readonly field: string | null; readonly message: string }[] {
  const problems: { readonly field: string | null; readonly message: string }[] = [];
  const kindProblem = findKindProblem(task);
  if (kindProblem !== undefined) problems.push({ field: null, message: kindProblem });
  if (task.for_each_task !== undefined && task.for_each_task !== null)
    problems.push({ field: 'for_each_task', message: 'a for-each cannot run a for-each' });
  if ((task.depends_on ?? []).length > 0) problems.push({ field: 'depends_on', message: outside });
  if ((task.run_if ?? 'ALL_SUCCESS') !== 'ALL_SUCCESS') problems.push({ field: 'run_if', message: outside });
  return problems;
}
