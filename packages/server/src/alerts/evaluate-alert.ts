/**
 * The evaluation of an alert by a task: what it has to run, and what follows from what that gave. The new state and the
 * event that it means are stored together; a report that is told again finds the state as it is, and changes nothing.
 */
import {
  type AlertOperandColumn,
  type AlertOperandValue,
  ApiError,
  alertEventsMax,
  type RequestOf,
  type ResponseOf,
  type routes,
  type TextAlertFields,
} from '@headrace/api';
import {
  type AlertState,
  type AlertValue,
  decideAlertNews,
  evaluateAlert,
  type JsonValue,
} from '@headrace/core';
import { z } from 'zod';
import type { Querier } from '../db/connect.ts';
import { getQuery } from '../queries/read-queries.ts';
import { findTaskRun } from '../runs/read-runs.ts';
import type { Services } from '../services.ts';
import { noSuchAlert } from './read-alerts.ts';
import { type AlertRow, findAlertRow, insertAlertEvent, updateAlertRow } from './store.ts';

type Work = ResponseOf<typeof routes.alertWorkGet>;
type Report = RequestOf<typeof routes.alertWorkReport>;

/** As attempt-document.ts keeps it of a task that evaluates an alert. */
const ResolvedAlert = z.object({
  sql_task: z.object({
    alert: z.looseObject({
      alert_id: z.string(),
      pause_subscriptions: z.boolean().optional(),
      subscriptions: z.array(z.json()).optional(),
    }),
  }),
});
type TaskAlert = z.output<typeof ResolvedAlert>['sql_task']['alert'];

interface Question {
  readonly alertId: string;
  readonly attemptId: number | null;
}

export async function readAlertWork(services: Pick<Services, 'db'>, question: Question): Promise<Work> {
  await requireTask(services, question);
  const row = await findAlertRow(services.db, question.alertId);
  if (row === null) throw noSuchAlert(question.alertId);
  if (row.trashedAtMs !== null)
    throw new ApiError(
      'RESOURCE_DOES_NOT_EXIST',
      `Alert ${row.alertId} (${row.displayName}) is in the trash.`,
    );
  return row.form === 'query' ? ofQuery(services.db, row) : ofText(row);
}

async function ofQuery(db: Querier, row: Extract<AlertRow, { form: 'query' }>): Promise<Work> {
  const { query_id = '', condition } = row.fields;
  const query = await getQuery(db, query_id);
  if (query.lifecycle_state === 'TRASHED')
    throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Query ${query_id} of the alert is in the trash.`);
  return {
    display_name: row.displayName,
    query_text: query.query_text ?? '',
    parameters: query.parameters ?? [],
    ...{ catalog: query.catalog ?? null, schema: query.schema ?? null },
    operand: condition?.operand.column ?? { name: '' },
    threshold: null,
  };
}

function ofText({ displayName, fields }: Extract<AlertRow, { form: 'text' }>): Work {
  const { evaluation, parameters = [] } = fields;
  return {
    display_name: displayName,
    query_text: fields.query_text ?? '',
    parameters: parameters.map(toQueryParameter),
    ...placeOf(fields),
    operand: evaluation?.source ?? { name: '' },
    threshold: evaluation?.threshold?.column ?? null,
  };
}

const Place = z.object({ catalog: z.string().nullable(), schema: z.string().nullable() });

/** Where bare names lead: ours, of an alert that a statement made. */
function placeOf({ headrace }: Readonly<Record<string, unknown>>): z.output<typeof Place> {
  return Place.safeParse(headrace).data ?? { catalog: null, schema: null };
}

const numericTypes = /^(tinyint|smallint|int|integer|bigint|long|float|double|decimal|numeric)\b/i;

function toQueryParameter({
  name,
  type = 'STRING',
  value = '',
}: NonNullable<TextAlertFields['parameters']>[number]) {
  if (numericTypes.test(type)) return { name, numeric_value: { value: Number(value) } };
  if (/^date$/i.test(type)) return { name, date_value: { date_value: value } };
  if (/^timestamp/i.test(type))
    return { name, date_value: { date_value: value, precision: 'SECOND_PRECISION' } };
  return { name, text_value: { value } };
}

export async function reportAlertWork(
  services: Pick<Services, 'db' | 'clock'>,
  question: Question,
  report: Report,
): Promise<ResponseOf<typeof routes.alertWorkReport>> {
  const { attemptId, alert } = await requireTask(services, question);
  const nowMs = services.clock.nowMs();
  return services.db.transaction(async (client) => {
    const row = await findAlertRow(client, question.alertId, { isLocked: true });
    if (row === null) throw noSuchAlert(question.alertId);
    const found = findState(row, report);
    await saveState(client, row, { ...found, value: report.value ?? null, attemptId, alert, nowMs });
    return {
      ...{ state: found.state, previous_state: row.state },
      ...(found.message === null ? {} : { message: found.message }),
    };
  });
}

interface FoundState {
  readonly state: AlertState;
  readonly message: string | null;
}

function findState(row: AlertRow, { value = null, threshold, is_empty, error }: Report): FoundState {
  if (error !== undefined) return { state: 'ERROR', message: error };
  const check = conditionOf(row);
  if (is_empty) return { state: check.emptyState, message: null };
  const verdict = evaluateAlert({
    ...{ operator: check.operator, value },
    threshold: check.isColumn ? (threshold ?? null) : check.threshold,
  });
  return verdict.kind === 'state'
    ? { state: verdict.state, message: null }
    : { state: 'ERROR', message: `${check.column}: ${verdict.message}` };
}

function conditionOf(row: AlertRow) {
  if (row.form === 'text') {
    const { evaluation } = row.fields;
    if (!evaluation) throw new Error(`bug: alert ${row.alertId} has no evaluation`);
    return {
      operator: evaluation.comparison_operator,
      column: columnText(evaluation.source),
      isColumn: evaluation.threshold?.column !== undefined,
      threshold: toValue(evaluation.threshold?.value),
      emptyState: evaluation.empty_result_state ?? ('UNKNOWN' as const),
    };
  }
  const { condition } = row.fields;
  if (!condition) throw new Error(`bug: alert ${row.alertId} has no condition`);
  return {
    operator: condition.op,
    column: columnText(condition.operand.column),
    isColumn: false,
    threshold: toValue(condition.threshold?.value),
    emptyState: condition.empty_result_state ?? ('UNKNOWN' as const),
  };
}

function columnText({ name, aggregation }: AlertOperandColumn): string {
  return aggregation === undefined ? name : `${aggregation}(${name})`;
}

function toValue(value: AlertOperandValue | undefined): AlertValue {
  return value?.double_value ?? value?.string_value ?? value?.bool_value ?? null;
}

interface Evaluation extends FoundState {
  readonly value: AlertValue;
  readonly attemptId: number;
  readonly alert: TaskAlert;
  readonly nowMs: number;
}

async function saveState(client: Querier, row: AlertRow, evaluation: Evaluation): Promise<void> {
  const { state, message, value, attemptId, alert, nowMs } = evaluation;
  const wishes = wishesOf(row);
  const news = decideAlertNews({
    ...{ from: row.state, to: state, toldAtMs: row.toldAtMs, nowMs },
    ...{ repeatMs: wishes.repeatMs, tellsOfOk: wishes.tellsOfOk },
  });
  // Whoever pauses subscriptions in a task wants its evaluation alone.
  const isDue = news.isDue && alert.pause_subscriptions !== true;
  const isNewlyTriggered = news.isChange && state === 'TRIGGERED';
  await updateAlertRow(client, {
    ...row,
    state,
    evaluatedAtMs: nowMs,
    triggeredAtMs: isNewlyTriggered ? nowMs : row.triggeredAtMs,
    toldAtMs: isDue ? nowMs : state === 'TRIGGERED' && !news.isChange ? row.toldAtMs : null,
  });
  if (!news.isChange && !isDue) return;
  const subscriptions = [...wishes.subscriptions, ...(alert.subscriptions ?? [])];
  await insertAlertEvent(
    client,
    {
      ...{ alertId: row.alertId, attemptId, fromState: row.state, toState: state },
      ...{ value, message, isDue, subscriptions, atMs: nowMs },
    },
    alertEventsMax,
  );
}

interface Wishes {
  readonly repeatMs: number | null;
  readonly tellsOfOk: boolean;
  readonly subscriptions: readonly JsonValue[];
}

function wishesOf(row: AlertRow): Wishes {
  if (row.form === 'query') {
    const { seconds_to_retrigger: seconds = 0, notify_on_ok: tellsOfOk = false } = row.fields;
    return { repeatMs: seconds === 0 ? null : seconds * 1000, tellsOfOk, subscriptions: [] };
  }
  const { retrigger_seconds: seconds = 0, ...wishes } = row.fields.evaluation?.notification ?? {};
  return {
    repeatMs: seconds === 0 ? null : seconds * 1000,
    tellsOfOk: wishes.notify_on_ok ?? false,
    subscriptions: (wishes.subscriptions ?? []) as readonly JsonValue[], // They came as JSON.
  };
}

/** Only a task that evaluates this alert hears of it so, and says what came of it. */
async function requireTask(
  { db }: Pick<Services, 'db'>,
  { alertId, attemptId }: Question,
): Promise<{ readonly attemptId: number; readonly alert: TaskAlert }> {
  const found = attemptId === null ? null : await findTaskRun({ db }, attemptId);
  const resolved = ResolvedAlert.safeParse(found?.taskRun.resolved).data;
  if (
    attemptId !== null &&
    resolved?.sql_task.alert.alert_id === alertId &&
    found?.taskRun.ended_at_ms === null
  )
    return { attemptId, alert: resolved.sql_task.alert };
  throw new ApiError(
    'PERMISSION_DENIED',
    `this is no task that evaluates alert ${alertId}, or no longer one`,
  );
}
