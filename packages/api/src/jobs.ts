/** Job definitions: the settings document, stored whole, and the routes that keep it. */
import { z } from 'zod';
import { NewCluster } from './clusters.ts';
import { GitSource } from './git.ts';
import { route } from './route.ts';
import { runParameterFields } from './run-parameters.ts';
import {
  EmailNotifications,
  HealthRules,
  NotificationSettings,
  Task,
  taskKeyCharsMax,
  taskKindFields,
  taskPlaceFields,
  tasksMax,
  WebhookNotifications,
} from './tasks.ts';
import { epochMs, Nothing, textMap, wireBool, wireId, wireInt, wireIntBetween } from './wire.ts';
import { AskedLabels } from './worker-labels.ts';

export const jobNameCharsMax = 4_096;
export const jobDescriptionCharsMax = 27_700;
export const jobClustersMax = 100;
export const jobParametersMax = 1_000;
export const tagsMax = 25;
export const concurrentRunsMax = 1_000;

const pauseStatus = z.enum(['PAUSED', 'UNPAUSED']);

export const JobParameterDefinition = z.looseObject({
  name: z.string().min(1).max(255),
  default: z.string(),
});
export type JobParameterDefinition = z.output<typeof JobParameterDefinition>;

export const JobCluster = z.looseObject({
  job_cluster_key: z
    .string()
    .min(1)
    .max(taskKeyCharsMax)
    .regex(/^[\w-]+$/),
  new_cluster: NewCluster.optional(),
});
export type JobCluster = z.output<typeof JobCluster>;

export const CronSchedule = z.looseObject({
  quartz_cron_expression: z.string(),
  timezone_id: z.string(),
  pause_status: pauseStatus.optional(),
});

export const RunAs = z.looseObject({
  user_name: z.string().optional(),
  service_principal_name: z.string().optional(),
  group_name: z.string().optional(),
});

export const QueueSettings = z.looseObject({ enabled: wireBool });

/** Settings of our own; ignored by others, kept by them. */
export const HeadraceSettings = z.looseObject({
  /** Where two-level table names live. */
  default_catalog: z.string().optional(),
  /** What every task asks of its worker; of a name that a task gives too, the task's value counts. */
  worker_labels: AskedLabels.optional(),
});

const jobFields = {
  name: z.string().min(1).max(jobNameCharsMax).optional(),
  description: z.string().max(jobDescriptionCharsMax).optional(),
  tasks: z.array(Task).max(tasksMax).optional(),
  job_clusters: z.array(JobCluster).max(jobClustersMax).optional(),
  parameters: z.array(JobParameterDefinition).max(jobParametersMax).optional(),
  tags: textMap
    .refine((tags) => Object.keys(tags).length <= tagsMax, `expected at most ${tagsMax} tags`)
    .optional(),
  timeout_seconds: wireIntBetween({ min: 0 }).optional(),
  /** 0 keeps every run from starting. */
  max_concurrent_runs: wireIntBetween({ min: 0, max: concurrentRunsMax }).optional(),
  queue: QueueSettings.optional(),
  schedule: CronSchedule.optional(),
  trigger: z.looseObject({ pause_status: pauseStatus.optional() }).optional(),
  continuous: z.looseObject({ pause_status: pauseStatus.optional() }).optional(),
  run_as: RunAs.optional(),
  git_source: GitSource.optional(),
  environments: z.array(z.looseObject({ environment_key: z.string() })).optional(),
  email_notifications: EmailNotifications.optional(),
  webhook_notifications: WebhookNotifications.optional(),
  notification_settings: NotificationSettings.optional(),
  health: HealthRules.optional(),
  format: z.enum(['SINGLE_TASK', 'MULTI_TASK']).optional(),
  edit_mode: z.enum(['UI_LOCKED', 'EDITABLE']).optional(),
  deployment: z.looseObject({ kind: z.enum(['BUNDLE', 'SYSTEM_MANAGED']) }).optional(),
  performance_target: z.string().optional(),
  headrace: HeadraceSettings.optional(),
};

export const JobSettings = z.looseObject(jobFields);
export type JobSettings = z.output<typeof JobSettings>;

/** The single-task form, as Airflow and older clients send it: what and where at the top, no `tasks`. */
const singleTaskFields = { ...taskKindFields, ...taskPlaceFields };

const AccessControlEntry = z.looseObject({
  user_name: z.string().optional(),
  group_name: z.string().optional(),
  service_principal_name: z.string().optional(),
  permission_level: z.enum(['CAN_VIEW', 'CAN_MANAGE_RUN', 'CAN_MANAGE', 'IS_OWNER']),
});
export const AccessControlList = z.array(AccessControlEntry).max(100);

export const JobsCreateRequest = z.looseObject({
  ...singleTaskFields,
  ...jobFields,
  access_control_list: AccessControlList.optional(),
});
export type JobsCreateRequest = z.output<typeof JobsCreateRequest>;

export const JobDocument = z.looseObject({
  job_id: z.int(),
  creator_user_name: z.string().optional(),
  run_as_user_name: z.string().optional(),
  created_time: epochMs,
  settings: JobSettings,
  /** Arrays of `settings` were cut; jobs/get shows the rest. */
  has_more: z.boolean().optional(),
  next_page_token: z.string().optional(),
});
export type JobDocument = z.output<typeof JobDocument>;

export const jobsListLimitMax = 100;
export const jobsListLimitDefault = 20;
/** Arrays longer than this are cut in 2.2 lists, and paged by jobs/get and runs/get. */
export const expandedElementsMax = 100;

/** The newest path first; older clients use the other two. */
export function jobsPaths(suffix: string): { path: string; aliases: readonly string[] } {
  return { path: `/api/2.2/jobs/${suffix}`, aliases: [`/api/2.1/jobs/${suffix}`, `/api/2.0/jobs/${suffix}`] };
}

export const jobsCreate = route({
  method: 'POST',
  ...jobsPaths('create'),
  summary: 'Makes a job.',
  request: JobsCreateRequest,
  response: z.looseObject({ job_id: z.int() }),
  permission: 'user',
  audit: 'jobs.create',
});

export const jobsGet = route({
  method: 'GET',
  ...jobsPaths('get'),
  summary: 'Shows one job; its long arrays page by page.',
  request: z.object({
    job_id: wireId,
    page_token: z.string().default(''),
    include_trigger_state: wireBool.default(false),
  }),
  response: JobDocument,
  permission: 'user',
  audit: 'jobs.get',
});

export const jobsList = route({
  method: 'GET',
  ...jobsPaths('list'),
  summary: 'Lists jobs, newest first.',
  request: z.object({
    limit: wireIntBetween({ min: 1, max: jobsListLimitMax }).default(jobsListLimitDefault),
    offset: wireIntBetween({ min: 0 }).default(0),
    page_token: z.string().default(''),
    name: z.string().max(jobNameCharsMax).optional(),
    expand_tasks: wireBool.default(false),
  }),
  response: z.looseObject({
    jobs: z.array(JobDocument).optional(),
    has_more: z.boolean(),
    next_page_token: z.string().optional(),
    prev_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'jobs.list',
});

export const jobsUpdate = route({
  method: 'POST',
  ...jobsPaths('update'),
  summary: 'Changes some settings of a job; tasks and job clusters are joined by key.',
  request: z.object({
    job_id: wireId,
    new_settings: JobSettings.optional(),
    fields_to_remove: z.array(z.string().min(1)).max(100).optional(),
  }),
  response: Nothing,
  permission: 'user',
  audit: 'jobs.update',
});

export const jobsReset = route({
  method: 'POST',
  ...jobsPaths('reset'),
  summary: 'Replaces the settings of a job.',
  request: z.object({ job_id: wireId, new_settings: z.looseObject({ ...singleTaskFields, ...jobFields }) }),
  response: Nothing,
  permission: 'user',
  audit: 'jobs.reset',
});

export const jobsDelete = route({
  method: 'POST',
  ...jobsPaths('delete'),
  summary: 'Deletes a job and cancels its runs.',
  request: z.object({ job_id: wireId }),
  response: Nothing,
  permission: 'user',
  audit: 'jobs.delete',
});

export const idempotencyTokenCharsMax = 64;

/** A task of the job by its key; `+` before it adds all that it depends on, behind it all that depend on it. */
export const TaskSelector = z
  .string()
  .max(taskKeyCharsMax + 2)
  .regex(/^\+?[\w-]+\+?$/);

export const jobsRunNow = route({
  method: 'POST',
  ...jobsPaths('run-now'),
  summary: 'Starts a run of a job.',
  request: z.object({
    job_id: wireId,
    job_parameters: textMap.optional(),
    ...runParameterFields,
    /** Runs these tasks and leaves out the others, as if the job had no more. */
    only: z.array(TaskSelector).max(tasksMax).optional(),
    queue: QueueSettings.optional(),
    performance_target: z.string().optional(),
    idempotency_token: z.string().max(idempotencyTokenCharsMax).optional(),
  }),
  response: z.looseObject({ run_id: z.int(), number_in_job: wireInt.optional() }),
  permission: 'user',
  audit: 'jobs.run-now',
});
export type JobsRunNowRequest = z.output<typeof jobsRunNow.request>;
