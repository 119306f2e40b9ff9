/** The only SQL for alerts and for how their states have changed. */
import type { AlertFields, TextAlertFields } from '@headrace/api';
import type { AlertState, AlertValue, JsonValue } from '@headrace/core';
import type { Querier } from '../db/connect.ts';

interface AlertBase {
  readonly alertId: string;
  readonly displayName: string;
  readonly parentPath: string;
  readonly ownerId: number;
  readonly ownerUserName: string;
  readonly state: AlertState;
  /** When it became TRIGGERED last. */
  readonly triggeredAtMs: number | null;
  /** When an event of it was due last, since it became TRIGGERED. */
  readonly toldAtMs: number | null;
  readonly evaluatedAtMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly trashedAtMs: number | null;
}

/** A condition on a saved query, or a query with a schedule of its own: `fields` are all else, as they were written. */
export type AlertRow =
  | (AlertBase & { readonly form: 'query'; readonly fields: AlertFields })
  | (AlertBase & { readonly form: 'text'; readonly fields: TextAlertFields });
export type AlertForm = AlertRow['form'];

const columns = `
  alert_id as "alertId", form, display_name as "displayName", parent_path as "parentPath", fields,
  owner_id as "ownerId", owner_user_name as "ownerUserName", state, triggered_at_ms as "triggeredAtMs",
  told_at_ms as "toldAtMs", evaluated_at_ms as "evaluatedAtMs", created_at_ms as "createdAtMs",
  updated_at_ms as "updatedAtMs", trashed_at_ms as "trashedAtMs"`;

/** False when another alert of this folder has the name. */
export async function insertAlert(db: Querier, row: AlertRow): Promise<boolean> {
  const rows = await db.query({
    name: 'alerts-insert',
    text: `
      insert into alerts (
        alert_id, form, display_name, parent_path, fields, owner_id, owner_user_name, state, created_at_ms, updated_at_ms)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      on conflict do nothing
      returning alert_id`,
    values: [
      ...[row.alertId, row.form, row.displayName, row.parentPath, JSON.stringify(row.fields), row.ownerId],
      ...[row.ownerUserName, row.state, row.createdAtMs, row.updatedAtMs],
    ],
  });
  return rows.length > 0;
}

export async function updateAlertRow(db: Querier, row: AlertRow): Promise<void> {
  await db.query({
    name: 'alerts-update',
    text: `
      update alerts
      set display_name = $2, fields = $3, owner_id = $4, owner_user_name = $5, state = $6, triggered_at_ms = $7,
        told_at_ms = $8, evaluated_at_ms = $9, updated_at_ms = $10, trashed_at_ms = $11
      where alert_id = $1`,
    values: [
      ...[
        row.alertId,
        row.displayName,
        JSON.stringify(row.fields),
        row.ownerId,
        row.ownerUserName,
        row.state,
      ],
      ...[row.triggeredAtMs, row.toldAtMs, row.evaluatedAtMs, row.updatedAtMs, row.trashedAtMs],
    ],
  });
}

export async function findAlertRow(
  db: Querier,
  alertId: string,
  { isLocked = false }: { readonly isLocked?: boolean } = {},
): Promise<AlertRow | null> {
  const rows = await db.query<AlertRow>({
    name: isLocked ? 'alerts-lock' : 'alerts-find',
    text: `select ${columns} from alerts where alert_id = $1 ${isLocked ? 'for update' : ''}`,
    values: [alertId],
  });
  return rows[0] ?? null;
}

/** With its events. */
export async function deleteAlertRow(db: Querier, alertId: string): Promise<void> {
  await db.query({
    name: 'alerts-delete',
    text: 'delete from alerts where alert_id = $1',
    values: [alertId],
  });
}

/** Of one folder, those that begin so; as many as are needed to find a free one. */
export async function listAlertNames(
  db: Querier,
  { parentPath, prefix }: { readonly parentPath: string; readonly prefix: string },
): Promise<string[]> {
  const rows = await db.query<{ name: string }>({
    name: 'alerts-list-names',
    text: `
      select display_name as name
      from alerts
      where parent_path = $1 and trashed_at_ms is null and starts_with(display_name, $2)
      limit 10000`,
    values: [parentPath, prefix],
  });
  return rows.map(({ name }) => name);
}

export interface AlertPosition {
  readonly createdAtMs: number;
  readonly alertId: string;
}

export function listAlertRows(
  db: Querier,
  {
    form,
    after,
    limit,
  }: { readonly form: AlertForm; readonly after: AlertPosition | null; readonly limit: number },
): Promise<AlertRow[]> {
  return db.query<AlertRow>({
    name: 'alerts-list',
    text: `
      select ${columns}
      from alerts
      where form = $1 and trashed_at_ms is null
        and (created_at_ms, alert_id) < (coalesce($2, 9007199254740991), coalesce($3, ''))
      order by created_at_ms desc, alert_id desc
      limit $4`,
    values: [form, after?.createdAtMs ?? null, after?.alertId ?? null, limit],
  });
}

export interface AlertEventRow {
  readonly alertId: string;
  readonly attemptId: number;
  readonly fromState: AlertState;
  readonly toState: AlertState;
  readonly value: AlertValue;
  readonly message: string | null;
  readonly isDue: boolean;
  readonly subscriptions: readonly JsonValue[];
  readonly atMs: number;
}

/** Of an alert the newest `keptMax` are kept. */
export async function insertAlertEvent(db: Querier, row: AlertEventRow, keptMax: number): Promise<void> {
  await db.query({
    name: 'alerts-insert-event',
    text: `
      with old as (
        delete from alert_events
        where alert_id = $1 and event_id <= (
          select event_id from alert_events where alert_id = $1 order by event_id desc offset $10 limit 1)
        returning event_id)
      insert into alert_events (
        alert_id, attempt_id, from_state, to_state, value, message, is_due, subscriptions, at_ms)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    values: [
      ...[row.alertId, row.attemptId, row.fromState, row.toState, JSON.stringify(row.value), row.message],
      ...[row.isDue, JSON.stringify(row.subscriptions), row.atMs, keptMax - 1],
    ],
  });
}

export function listAlertEvents(db: Querier, alertId: string, limit: number): Promise<AlertEventRow[]> {
  return db.query<AlertEventRow>({
    name: 'alerts-list-events',
    text: `
      select alert_id as "alertId", attempt_id as "attemptId", from_state as "fromState", to_state as "toState", value,
        message, is_due as "isDue", subscriptions, at_ms as "atMs"
      from alert_events
      where alert_id = $1
      order by event_id desc
      limit $2`,
    values: [alertId, limit],
  });
}
