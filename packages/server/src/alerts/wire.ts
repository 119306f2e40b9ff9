import type { AlertDocument, AlertEvent, TextAlertDocument } from '@headrace/api';
import type { AlertEventRow, AlertRow } from './store.ts';

export type QueryAlertRow = Extract<AlertRow, { form: 'query' }>;
export type TextAlertRow = Extract<AlertRow, { form: 'text' }>;

export function toAlertDocument(row: QueryAlertRow): AlertDocument {
  return {
    ...row.fields,
    id: row.alertId,
    display_name: row.displayName,
    parent_path: row.parentPath,
    owner_user_name: row.ownerUserName,
    lifecycle_state: row.trashedAtMs === null ? 'ACTIVE' : 'TRASHED',
    // This form knows no fourth one.
    state: row.state === 'ERROR' ? 'UNKNOWN' : row.state,
    ...(row.triggeredAtMs === null ? {} : { trigger_time: toTimeText(row.triggeredAtMs) }),
    create_time: toTimeText(row.createdAtMs),
    update_time: toTimeText(row.updatedAtMs),
  };
}

export function toTextAlertDocument(row: TextAlertRow): TextAlertDocument {
  const { fields, ownerUserName: user_name } = row;
  // Checked before it was stored: `checkTextAlertFields`.
  const evaluation = fields.evaluation as NonNullable<typeof fields.evaluation>;
  return {
    ...fields,
    id: row.alertId,
    display_name: row.displayName,
    parent_path: row.parentPath,
    owner_user_name: user_name,
    run_as_user_name: user_name,
    effective_run_as: { user_name },
    lifecycle_state: row.trashedAtMs === null ? 'ACTIVE' : 'DELETED',
    evaluation: {
      ...evaluation,
      state: row.state,
      ...(row.evaluatedAtMs === null ? {} : { last_evaluated_at: toTimeText(row.evaluatedAtMs) }),
    },
    create_time: toTimeText(row.createdAtMs),
    update_time: toTimeText(row.updatedAtMs),
  };
}

export function toAlertEvent(row: AlertEventRow): AlertEvent {
  return {
    alert_id: row.alertId,
    from_state: row.fromState,
    to_state: row.toState,
    at: row.atMs,
    task_run_id: row.attemptId,
    value: row.value,
    ...(row.message === null ? {} : { message: row.message }),
    is_due: row.isDue,
    subscriptions: [...row.subscriptions] as AlertEvent['subscriptions'], // It is JSON, which is not read-only there.
  };
}

function toTimeText(atMs: number): string {
  return new Date(atMs).toISOString();
}
