/** Runs: start, watch, cancel, read their output. */
import { z } from 'zod';
import { GitSource } from './git.ts';
import {
  AccessControlList,
  HeadraceSettings,
  idempotencyTokenCharsMax,
  jobNameCharsMax,
  jobsPaths,
  QueueSettings,
  RunAs,
} from './jobs.ts';
import { route } from './route.ts';
import { NotebookDocument, RunDocument, RunEvent, RunOutput, runTypes } from './run-documents.ts';
import {
  EmailNotifications,
  HealthRules,
  NotificationSettings,
  RunTaskKey,
  Task,
  taskKindFields,
  taskPlaceFields,
  tasksMax,
  WebhookNotifications,
} from './tasks.ts';
import { Nothing, wireBool, wireId, wireIntBetween } from './wire.ts';

/** A one-time run: tasks without a job. Also in the single-task form. */
export const RunsSubmitRequest = z.looseObject({
  ...taskKindFields,
  ...taskPlaceFields,
  run_name: z.string().max(jobNameCharsMax).optional(),
  tasks: z.array(Task).max(tasksMax).optional(),
  timeout_seconds: wireIntBetween({ min: 0 }).optional(),
  idempotency_token: z.string().max(idempotencyTokenCharsMax).optional(),
  queue: QueueSettings.optional(),
  run_as: RunAs.optional(),
  git_source: GitSource.optional(),
  environments: z.array(z.looseObject({ environment_key: z.string() })).optional(),
  email_notifications: EmailNotifications.optional(),
  webhook_notifications: WebhookNotifications.optional(),
  notification_settings: NotificationSettings.optional(),
  health: HealthRules.optional(),
  access_control_list: AccessControlList.optional(),
  headrace: HeadraceSettings.optional(),
});
export type RunsSubmitRequest = z.output<typeof RunsSubmitRequest>;

export const runsListLimitMax = 24;
export const runsListLimitDefault = 20;

export const runsSubmit = route({
  method: 'POST',
  ...jobsPaths('runs/submit'),
  summary: 'Starts a run of tasks that belong to no job.',
  request: RunsSubmitRequest,
  response: z.looseObject({ run_id: z.int() }),
  permission: 'user',
  audit: 'runs.submit',
});

export const runsGet = route({
  method: 'GET',
  ...jobsPaths('runs/get'),
  summary: 'Shows one run or task run; its long arrays page by page.',
  request: z.object({
    run_id: wireId,
    page_token: z.string().default(''),
    include_history: wireBool.default(false),
    include_resolved_values: wireBool.default(false),
  }),
  response: RunDocument,
  permission: 'user',
  audit: 'runs.get',
});

export const runsList = route({
  method: 'GET',
  ...jobsPaths('runs/list'),
  summary: 'Lists runs, newest first.',
  request: z.object({
    job_id: wireId.optional(),
    active_only: wireBool.default(false),
    completed_only: wireBool.default(false),
    expand_tasks: wireBool.default(false),
    run_type: z.enum(runTypes).optional(),
    /** 0 means the maximum. */
    limit: wireIntBetween({ min: 0, max: runsListLimitMax }).default(runsListLimitDefault),
    offset: wireIntBetween({ min: 0 }).default(0),
    page_token: z.string().default(''),
    start_time_from: wireIntBetween({ min: 0 }).optional(),
    start_time_to: wireIntBetween({ min: 0 }).optional(),
  }),
  response: z.looseObject({
    runs: z.array(RunDocument).optional(),
    has_more: z.boolean(),
    next_page_token: z.string().optional(),
    prev_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'runs.list',
});

export const runsCancel = route({
  method: 'POST',
  ...jobsPaths('runs/cancel'),
  summary: 'Asks a run or task run to stop; it ends a little later.',
  request: z.object({ run_id: wireId }),
  response: Nothing,
  permission: 'user',
  audit: 'runs.cancel',
});

export const runsCancelAll = route({
  method: 'POST',
  ...jobsPaths('runs/cancel-all'),
  summary: 'Asks all runs of a job to stop, queued ones too, or all queued runs of every job.',
  request: z
    .object({ job_id: wireId.optional(), all_queued_runs: wireBool.default(false) })
    .refine((request) => request.job_id !== undefined || request.all_queued_runs, {
      path: ['job_id'],
      message: 'is missing; name a job, or set all_queued_runs',
    }),
  response: Nothing,
  permission: 'user',
  audit: 'runs.cancel-all',
});

export const runsDelete = route({
  method: 'POST',
  ...jobsPaths('runs/delete'),
  summary: 'Deletes a run that has ended, with its logs and outputs.',
  request: z.object({ run_id: wireId }),
  response: Nothing,
  permission: 'user',
  audit: 'runs.delete',
});

export const exportViews = ['CODE', 'DASHBOARDS', 'ALL'] as const;

export const runsExport = route({
  method: 'GET',
  ...jobsPaths('runs/export'),
  summary: 'Hands out the notebook of one task run as a page of HTML.',
  request: z.object({ run_id: wireId, views_to_export: z.enum(exportViews).default('CODE') }),
  response: z.looseObject({
    views: z.array(
      z.looseObject({ name: z.string(), type: z.enum(['NOTEBOOK', 'DASHBOARD']), content: z.string() }),
    ),
  }),
  permission: 'user',
  audit: 'runs.export',
});

export const runsGetOutput = route({
  method: 'GET',
  ...jobsPaths('runs/get-output'),
  summary: 'Shows the result, the log and the error of one task run.',
  request: z.object({ run_id: wireId }),
  response: RunOutput,
  permission: 'user',
  audit: 'runs.get-output',
});

export const logChunkBytesMax = 1024 * 1024;
export const logChunkBytesDefault = 64 * 1024;

const taskRunIds = { run_id: wireId, task_run_id: wireId };

export const taskLog = route({
  method: 'GET',
  path: '/api/headrace/runs/{run_id}/tasks/{task_run_id}/log',
  summary:
    "Reads a range of a task run's log. Offsets count bytes; a range may cut a character, which is then replaced.",
  request: z.object({
    ...taskRunIds,
    offset: wireIntBetween({ min: 0 }).default(0),
    limit: wireIntBetween({ min: 1, max: logChunkBytesMax }).default(logChunkBytesDefault),
  }),
  response: z.looseObject({
    log: z.string(),
    offset: z.int(),
    next_offset: z.int(),
    size: z.int(),
    /** The log reached its limit and its middle is missing; a line in it says so. */
    truncated: z.boolean(),
    /** The task run has ended: the log grows no more. */
    ended: z.boolean(),
  }),
  permission: 'user',
  audit: 'runs.read-log',
});

export const taskNotebook = route({
  method: 'GET',
  path: '/api/headrace/runs/{run_id}/tasks/{task_run_id}/notebook',
  summary: 'Shows a notebook as it ran: cells with their outputs so far.',
  request: z.object(taskRunIds),
  response: NotebookDocument,
  permission: 'user',
  audit: 'runs.read-notebook',
});

export const taskDbtArtifacts = route({
  method: 'GET',
  path: '/api/headrace/runs/{run_id}/tasks/{task_run_id}/dbt-artifacts',
  summary:
    'What dbt made: a gzipped tar of its target and logs folders, of a task that has begun its commands.',
  request: z.object(taskRunIds),
  response: Nothing,
  kind: 'stream',
  permission: 'user',
  audit: 'runs.read-dbt-artifacts',
});

/** One thing known about why; which fields it has besides follows from its kind. */
export const WhyFact = z.looseObject({ kind: z.string() });
export type WhyFact = z.output<typeof WhyFact>;

export const runsWhy = route({
  method: 'GET',
  path: '/api/headrace/runs/{run_id}/why',
  summary:
    'Says why a run or one of its tasks stands where it does: a sentence, and the facts it is made from.',
  request: z
    .object({
      run_id: wireId,
      task_key: RunTaskKey.optional(),
      iteration: wireIntBetween({ min: 0 }).optional(),
    })
    .refine((request) => request.iteration === undefined || request.task_key !== undefined, {
      path: ['task_key'],
      message: 'is missing; an iteration belongs to a task',
    }),
  response: z.looseObject({
    run_id: z.int(),
    task_key: z.string().optional(),
    sentence: z.string(),
    facts: z.array(WhyFact),
  }),
  permission: 'user',
  audit: 'runs.why',
});

export const runEvents = route({
  method: 'GET',
  path: '/api/headrace/runs/{run_id}/events',
  summary: 'Streams a run as it changes, until it has ended.',
  request: z.object({ run_id: wireId }),
  response: RunEvent,
  kind: 'events',
  permission: 'user',
  audit: 'runs.watch',
});
