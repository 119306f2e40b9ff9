/** What an alert must have before it is stored, whichever way it came to be. */
import { AlertFields, ApiError, formatIssues, TextAlertFields } from '@headrace/api';
import { nextFireAfter, parseCron, ZoneOffsets } from '@headrace/core';
import type { z } from 'zod';
import { refuseUnstorable } from '../jobs/validate-settings.ts';

/** What clients send back of a document that they have read. */
const ours = [
  'id',
  'create_time',
  'update_time',
  'lifecycle_state',
  'owner_user_name',
  'state',
  'trigger_time',
];
const oursOfText = [...ours, 'effective_run_as', 'run_as_user_name', 'update_mask'];
const oursOfEvaluation = ['state', 'last_evaluated_at'];
const withoutThreshold = ['IS_NULL', 'IS_NOT_NULL'];

export function checkAlertFields(written: Readonly<Record<string, unknown>>): AlertFields {
  const fields = parse(AlertFields, without(written, ours), 'alert.');
  const { query_id, condition } = fields;
  if (query_id === undefined) throw invalid('alert.query_id: is missing, expected the id of a saved query');
  if (!condition) throw invalid('alert.condition: is missing, expected op, operand and threshold');
  const { op, threshold } = condition;
  if (!withoutThreshold.includes(op)) requireOneValue(threshold?.value, 'alert.condition.threshold.value');
  return fields;
}

export function checkTextAlertFields(written: Readonly<Record<string, unknown>>): TextAlertFields {
  const fields = parse(TextAlertFields, without(written, oursOfText), '');
  const { query_text, evaluation, schedule, warehouse_id } = fields;
  if ((query_text ?? '').trim() === '') throw invalid('query_text: is missing, expected a query');
  if (warehouse_id === undefined)
    throw invalid('warehouse_id: is missing, expected the id of a SQL warehouse');
  if (!evaluation)
    throw invalid('evaluation: is missing, expected source, comparison_operator and threshold');
  if (!schedule) throw invalid('schedule: is missing, expected quartz_cron_schedule and timezone_id');
  checkEvaluation(evaluation);
  checkSchedule(schedule);
  return { ...fields, evaluation: without(evaluation, oursOfEvaluation) as typeof evaluation };
}

function checkEvaluation(evaluation: NonNullable<TextAlertFields['evaluation']>): void {
  const { source, comparison_operator: operator, threshold } = evaluation;
  if (source.name === '*' && source.aggregation !== 'COUNT')
    throw invalid("evaluation.source.name: '*' goes with the aggregation COUNT alone; name a column");
  if (withoutThreshold.includes(operator)) return;
  if (threshold?.column && threshold.value)
    throw invalid('evaluation.threshold: has a value and a column; keep one');
  if (!threshold?.column) requireOneValue(threshold?.value, 'evaluation.threshold.value');
}

function requireOneValue(value: Readonly<Record<string, unknown>> | undefined, field: string): void {
  const kinds = ['double_value', 'string_value', 'bool_value'];
  const named = kinds.filter((kind) => value?.[kind] !== undefined);
  if (named.length === 0) throw invalid(`${field}: is missing, expected one of ${kinds.join(', ')}`);
  if (named.length > 1) throw invalid(`${field}: has several values (${named.join(', ')}); keep one`);
}

function checkSchedule(schedule: NonNullable<TextAlertFields['schedule']>): void {
  const cron = parseCron(schedule.quartz_cron_schedule);
  if (typeof cron === 'string') throw invalid(`schedule.quartz_cron_schedule: ${cron}`);
  const zone = ZoneOffsets.of(schedule.timezone_id);
  if (zone === null) throw invalid('schedule.timezone_id: expected a time zone such as UTC or Europe/Berlin');
  if (nextFireAfter(cron, zone, 0) === null)
    throw invalid('schedule.quartz_cron_schedule: never fires: no year has such a day');
}

/** What was changed in part is read anew as a whole. */
function parse<Schema extends z.ZodType>(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  prefix: string,
): z.output<Schema> {
  refuseUnstorable(value, 'alert');
  const parsed = schema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw invalid(`${prefix}${formatIssues(parsed.error)}`);
  return parsed.data;
}

function without(
  fields: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

function invalid(message: string): ApiError {
  return new ApiError('INVALID_PARAMETER_VALUE', message);
}
