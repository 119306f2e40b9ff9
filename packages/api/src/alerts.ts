/**
 * SQL alerts, in the two forms that clients of databricks-sdk 0.162.0 (Apache-2.0) know: a condition on a saved query
 * (`/api/2.0/sql/alerts`), and a query with a schedule of its own (`/api/2.0/alerts`).
 */
import { z } from 'zod';
import { queryNameCharsMax, queryTextCharsMax } from './queries.ts';
import { route } from './route.ts';
import { JsonValue, Nothing, wireBool, wireInt, wireIntBetween } from './wire.ts';

const id = z.string().min(1).max(100);
const name = z.string().min(1).max(queryNameCharsMax);
const parentPath = z.string().max(4_096);
const body = z.string().max(100_000);
/** A year. */
const retriggerSeconds = wireIntBetween({ min: 0, max: 31_536_000 });
const comparisons = [
  'GREATER_THAN',
  'GREATER_THAN_OR_EQUAL',
  'LESS_THAN',
  'LESS_THAN_OR_EQUAL',
  'EQUAL',
  'NOT_EQUAL',
  'IS_NULL',
] as const;
export const alertStateNames = ['UNKNOWN', 'OK', 'TRIGGERED'] as const;
export const alertEvaluationStates = [...alertStateNames, 'ERROR'] as const;

const operandValue = z.looseObject({
  string_value: z.string().max(10_000).optional(),
  double_value: z.number().optional(),
  bool_value: wireBool.optional(),
});
export type AlertOperandValue = z.output<typeof operandValue>;

export const AlertCondition = z.looseObject({
  op: z.enum(comparisons),
  operand: z.looseObject({ column: z.looseObject({ name }) }),
  /** Nothing to compare with where `op` is IS_NULL. */
  threshold: z.looseObject({ value: operandValue.optional() }).optional(),
  /** Without it: UNKNOWN. */
  empty_result_state: z.enum(alertStateNames).optional(),
});
export type AlertCondition = z.output<typeof AlertCondition>;

/** What people write of an alert on a saved query. */
export const AlertFields = z.looseObject({
  display_name: name.optional(),
  query_id: id.optional(),
  condition: AlertCondition.optional(),
  custom_subject: body.optional(),
  custom_body: body.optional(),
  notify_on_ok: wireBool.optional(),
  /** Of an alert that stays triggered; 0: never. */
  seconds_to_retrigger: retriggerSeconds.optional(),
});
export type AlertFields = z.output<typeof AlertFields>;

export const AlertDocument = AlertFields.extend({
  id: z.string(),
  display_name: z.string(),
  parent_path: z.string(),
  owner_user_name: z.string(),
  lifecycle_state: z.enum(['ACTIVE', 'TRASHED']),
  state: z.enum(alertStateNames),
  /** As 2026-03-01T12:30:00Z; when it became TRIGGERED last. */
  trigger_time: z.string().optional(),
  create_time: z.string(),
  update_time: z.string(),
});
export type AlertDocument = z.output<typeof AlertDocument>;

const page = {
  page_size: wireInt.pipe(z.int().min(0).max(100)).default(20),
  page_token: z.string().default(''),
};
const updateMask = z.string().max(1_000);

export const alertsCreate = route({
  method: 'POST',
  path: '/api/2.0/sql/alerts',
  summary: 'Makes an alert on a saved query.',
  request: z.object({
    alert: AlertFields.extend({ parent_path: parentPath.optional() }).optional(),
    auto_resolve_display_name: wireBool.optional(),
  }),
  response: AlertDocument,
  permission: 'user',
  audit: 'alerts.create',
});

export const alertsList = route({
  method: 'GET',
  path: '/api/2.0/sql/alerts',
  summary: 'Lists alerts on saved queries, newest first; those in the trash are not among them.',
  request: z.object(page),
  response: z.looseObject({ results: z.array(AlertDocument), next_page_token: z.string().optional() }),
  permission: 'user',
  audit: 'alerts.list',
});

export const alertsGet = route({
  method: 'GET',
  path: '/api/2.0/sql/alerts/{id}',
  summary: 'Shows one alert on a saved query, also one in the trash.',
  request: z.object({ id }),
  response: AlertDocument,
  permission: 'user',
  audit: 'alerts.get',
});

export const alertsUpdate = route({
  method: 'PATCH',
  path: '/api/2.0/sql/alerts/{id}',
  summary:
    'Changes the fields of an alert that update_mask names; those that it names and alert lacks are cleared.',
  request: z.object({
    id,
    alert: AlertFields.extend({ owner_user_name: name.optional() }).optional(),
    /** `condition,display_name`, or `*` for all that alert has. */
    update_mask: updateMask,
    auto_resolve_display_name: wireBool.optional(),
  }),
  response: AlertDocument,
  permission: 'user',
  audit: 'alerts.update',
});

export const alertsDelete = route({
  method: 'DELETE',
  path: '/api/2.0/sql/alerts/{id}',
  summary: 'Moves an alert to the trash: no list shows it and no job evaluates it any more.',
  request: z.object({ id }),
  response: Nothing,
  permission: 'user',
  audit: 'alerts.delete',
});

const operandColumn = z.looseObject({
  /** `*` with COUNT: rows. */
  name,
  /** Over all rows; without it the column's value in the first row. */
  aggregation: z.enum(['SUM', 'COUNT', 'COUNT_DISTINCT', 'AVG', 'MEDIAN', 'MIN', 'MAX', 'STDDEV']).optional(),
  display: z.string().max(queryNameCharsMax).optional(),
});
export type AlertOperandColumn = z.output<typeof operandColumn>;

export const AlertEvaluation = z.looseObject({
  source: operandColumn,
  comparison_operator: z.enum([...comparisons, 'IS_NOT_NULL']),
  threshold: z.looseObject({ value: operandValue.optional(), column: operandColumn.optional() }).optional(),
  /** Without it: UNKNOWN. */
  empty_result_state: z.enum(alertEvaluationStates).optional(),
  notification: z
    .looseObject({
      notify_on_ok: wireBool.optional(),
      retrigger_seconds: retriggerSeconds.optional(),
      subscriptions: z
        .array(z.looseObject({ user_email: z.string().optional(), destination_id: z.string().optional() }))
        .max(100)
        .optional(),
    })
    .optional(),
});
export type AlertEvaluation = z.output<typeof AlertEvaluation>;

/** What people write of an alert with a query of its own. */
export const TextAlertFields = z.looseObject({
  display_name: name.optional(),
  query_text: z.string().max(queryTextCharsMax).optional(),
  warehouse_id: z.string().max(255).optional(),
  evaluation: AlertEvaluation.optional(),
  schedule: z
    .looseObject({
      quartz_cron_schedule: z.string(),
      timezone_id: z.string().max(100),
      pause_status: z.enum(['UNPAUSED', 'PAUSED']).optional(),
    })
    .optional(),
  parameters: z
    .array(
      z.looseObject({
        name: z.string().max(255),
        type: z.string().max(100).optional(),
        value: z.string().optional(),
      }),
    )
    .max(250)
    .optional(),
  custom_summary: body.optional(),
  custom_description: body.optional(),
  parent_path: parentPath.optional(),
});
export type TextAlertFields = z.output<typeof TextAlertFields>;

export const TextAlertDocument = TextAlertFields.extend({
  id: z.string(),
  display_name: z.string(),
  parent_path: z.string(),
  owner_user_name: z.string(),
  lifecycle_state: z.enum(['ACTIVE', 'DELETED']),
  evaluation: AlertEvaluation.extend({
    state: z.enum(alertEvaluationStates),
    last_evaluated_at: z.string().optional(),
  }),
  create_time: z.string(),
  update_time: z.string(),
});
export type TextAlertDocument = z.output<typeof TextAlertDocument>;

export const textAlertsCreate = route({
  method: 'POST',
  path: '/api/2.0/alerts',
  summary: 'Makes an alert with a query and a schedule of its own.',
  request: TextAlertFields,
  response: TextAlertDocument,
  permission: 'user',
  audit: 'text-alerts.create',
});

export const textAlertsList = route({
  method: 'GET',
  path: '/api/2.0/alerts',
  summary: 'Lists alerts with queries of their own, newest first; those in the trash are not among them.',
  request: z.object(page),
  response: z.looseObject({ alerts: z.array(TextAlertDocument), next_page_token: z.string().optional() }),
  permission: 'user',
  audit: 'text-alerts.list',
});

export const textAlertsGet = route({
  method: 'GET',
  path: '/api/2.0/alerts/{id}',
  summary: 'Shows one alert with a query of its own, also one in the trash.',
  request: z.object({ id }),
  response: TextAlertDocument,
  permission: 'user',
  audit: 'text-alerts.get',
});

export const textAlertsUpdate = route({
  method: 'PATCH',
  path: '/api/2.0/alerts/{id}',
  summary:
    'Changes the fields of an alert that update_mask names; those that it names and are not given are cleared.',
  request: TextAlertFields.extend({ id, update_mask: updateMask }),
  response: TextAlertDocument,
  permission: 'user',
  audit: 'text-alerts.update',
});

export const textAlertsTrash = route({
  method: 'DELETE',
  path: '/api/2.0/alerts/{id}',
  summary: 'Moves an alert to the trash, or removes it for good.',
  request: z.object({ id, purge: wireBool.optional() }),
  response: Nothing,
  permission: 'user',
  audit: 'text-alerts.delete',
});

/** Ours: what notifications are made of. */
export const AlertEvent = z.looseObject({
  alert_id: z.string(),
  from_state: z.enum(alertEvaluationStates),
  to_state: z.enum(alertEvaluationStates),
  /** Epoch milliseconds. */
  at: z.int(),
  /** The run of the task that evaluated it. */
  task_run_id: z.int(),
  /** What was compared. */
  value: JsonValue.optional(),
  /** Why it could not be evaluated. */
  message: z.string().optional(),
  /** Whether somebody is to be told; nothing is sent yet. */
  is_due: z.boolean(),
  /** Who wants to hear of it. */
  subscriptions: z.array(JsonValue),
});
export type AlertEvent = z.output<typeof AlertEvent>;

export const alertEventsMax = 1_000;

export const alertEventsList = route({
  method: 'GET',
  path: '/api/headrace/alerts/{id}/events',
  summary: 'How the state of an alert has changed, newest first.',
  request: z.object({ id, limit: wireIntBetween({ min: 1, max: alertEventsMax }).default(100) }),
  response: z.looseObject({ events: z.array(AlertEvent) }),
  permission: 'user',
  audit: 'alerts.events',
});

/** What a task needs to evaluate an alert, whichever form that has. */
export const alertWorkGet = route({
  method: 'GET',
  path: '/api/headrace/alerts/{id}/work',
  summary: 'What is to be run for an alert, as the task asks that evaluates it.',
  request: z.object({ id }),
  response: z.looseObject({
    display_name: z.string(),
    query_text: z.string(),
    /** As of a saved query. */
    parameters: z.array(z.looseObject({ name: z.string() })),
    catalog: z.string().nullable(),
    schema: z.string().nullable(),
    operand: operandColumn,
    /** Null where the alert compares with a value. */
    threshold: operandColumn.nullable(),
  }),
  permission: 'task',
  audit: null,
});

const scalar = z.union([z.string().max(100_000), z.number(), z.boolean()]).nullable();

/** Told again by the same attempt, it changes nothing. */
export const alertWorkReport = route({
  method: 'POST',
  path: '/api/headrace/alerts/{id}/work',
  summary: 'What the query of an alert gave: the alert takes the state that follows.',
  request: z.object({
    id,
    /** Null and left out: SQL's NULL. */
    value: scalar.optional(),
    /** Of a column; left out where the alert compares with a value. */
    threshold: scalar.optional(),
    is_empty: z.boolean().default(false),
    /** It could not be evaluated. */
    error: z.string().max(100_000).optional(),
  }),
  response: z.looseObject({
    state: z.enum(alertEvaluationStates),
    previous_state: z.enum(alertEvaluationStates),
    /** Why it is ERROR. */
    message: z.string().optional(),
  }),
  permission: 'task',
  audit: null,
});
