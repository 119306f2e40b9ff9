/** Makes, changes and trashes alerts. Everybody may read and evaluate them; their owner and administrators change them. */
import crypto from 'node:crypto';
import { ApiError, type RequestOf, type routes } from '@headrace/api';
import type { Principal } from '../context.ts';
import { type Querier, sqlState, uniqueViolation } from '../db/connect.ts';
import { getQuery } from '../queries/read-queries.ts';
import type { Services } from '../services.ts';
import { findPrincipalByName } from '../tokens/find-principal.ts';
import { resolveWarehouse } from '../warehouses/resolve-warehouse.ts';
import { findFreeName, toParentPath } from '../workspace/parent-path.ts';
import { applyMask } from './apply-mask.ts';
import { checkAlertFields, checkTextAlertFields } from './check-fields.ts';
import { type RowOf, requireAlert } from './read-alerts.ts';
import {
  type AlertForm,
  type AlertRow,
  deleteAlertRow,
  insertAlert,
  listAlertNames,
  updateAlertRow,
} from './store.ts';

type SaveServices = Pick<Services, 'db' | 'config'>;

interface Maker {
  readonly principal: Pick<Principal, 'id' | 'userName'>;
  readonly nowMs: number;
}

interface Caller extends Maker {
  readonly principal: Principal;
}

const nameDefault = 'New alert';
/** Two that save at once may choose the same free name. */
const attemptsMax = 5;
const changeable = [
  ...['display_name', 'query_id', 'condition', 'custom_subject', 'custom_body', 'notify_on_ok'],
  ...['seconds_to_retrigger', 'owner_user_name'],
];
const changeableOfText = [
  ...['display_name', 'query_text', 'warehouse_id', 'evaluation', 'schedule', 'parameters', 'custom_summary'],
  ...['custom_description', 'custom_template_format', 'run_as', 'owner_user_name'],
];

export async function createAlert(
  services: SaveServices,
  { alert = {}, auto_resolve_display_name: isResolved = false }: RequestOf<typeof routes.alertsCreate>,
  caller: Caller,
): Promise<RowOf<'query'>> {
  const { display_name, parent_path, ...written } = alert;
  const fields = checkAlertFields(written);
  await requireQuery(services.db, fields.query_id ?? '');
  const named = { name: display_name ?? nameDefault, parentPath: parent_path, field: 'alert.parent_path' };
  return insertNamed(services.db, { form: 'query', fields }, { ...named, isResolved }, caller);
}

export async function createTextAlert(
  services: SaveServices,
  { display_name, parent_path, ...written }: RequestOf<typeof routes.textAlertsCreate>,
  caller: Caller,
): Promise<RowOf<'text'>> {
  const fields = checkTextAlertFields(written);
  if (display_name === undefined) throw invalid('display_name: is missing, expected a text');
  await requireWarehouse(services, fields.warehouse_id ?? '');
  const named = { name: display_name, parentPath: parent_path, field: 'parent_path', isResolved: false };
  return insertNamed(services.db, { form: 'text', fields }, named, caller);
}

export interface StatedAlert {
  readonly name: string;
  /** As Quartz writes it; in UTC. */
  readonly schedule: string;
  readonly query: string;
  readonly warehouseId: string;
  /** Where bare names lead. */
  readonly catalog: string | null;
  readonly schema: string | null;
}

/** Of a statement, whose query has been analysed: rows mean TRIGGERED, none OK. Within a transaction. */
export function createStatedAlert(
  client: Querier,
  { name, schedule, query, warehouseId, catalog, schema }: StatedAlert,
  caller: Maker,
): Promise<RowOf<'text'>> {
  const fields = checkTextAlertFields({
    ...{ query_text: query, warehouse_id: warehouseId, headrace: { catalog, schema } },
    evaluation: {
      ...{ source: { name: '*', aggregation: 'COUNT' }, comparison_operator: 'GREATER_THAN' },
      ...{ threshold: { value: { double_value: 0 } }, empty_result_state: 'OK' },
    },
    schedule: { quartz_cron_schedule: schedule, timezone_id: 'UTC', pause_status: 'UNPAUSED' },
  });
  const named = { name, parentPath: undefined, field: 'name', isResolved: false };
  return insertNamed(client, { form: 'text', fields }, named, caller);
}

/** Of alerts in a principal's own folder, where a statement makes them. */
export async function refuseTakenName(
  db: Querier,
  name: string,
  principal: Maker['principal'],
): Promise<void> {
  const parentPath = toParentPath(undefined, principal, 'name');
  if ((await listAlertNames(db, { parentPath, prefix: name })).includes(name))
    throw nameTaken(name, parentPath);
}

async function insertNamed<Form extends AlertForm>(
  db: Querier,
  kind: Pick<RowOf<Form>, 'form' | 'fields'>,
  named: { name: string; parentPath: string | undefined; field: string; isResolved: boolean },
  { principal, nowMs }: Maker,
): Promise<RowOf<Form>> {
  const parentPath = toParentPath(named.parentPath, principal, named.field);
  for (let attempt = 1; ; attempt++) {
    const displayName = named.isResolved ? await freeName(db, named.name, parentPath) : named.name;
    const row = {
      ...{ ...kind, alertId: crypto.randomUUID(), displayName, parentPath, state: 'UNKNOWN' },
      ...{ ownerId: principal.id, ownerUserName: principal.userName },
      ...{ triggeredAtMs: null, toldAtMs: null, evaluatedAtMs: null, trashedAtMs: null },
      ...{ createdAtMs: nowMs, updatedAtMs: nowMs },
    } as RowOf<Form>; // Of the form that `kind` has.
    if (await insertAlert(db, row)) return row;
    if (!named.isResolved || attempt === attemptsMax) throw nameTaken(displayName, parentPath);
  }
}

export function updateAlert(
  services: SaveServices,
  request: RequestOf<typeof routes.alertsUpdate>,
  caller: Caller,
): Promise<RowOf<'query'>> {
  const { id, alert = {}, update_mask: mask, auto_resolve_display_name: isResolved = false } = request;
  return change(services.db, id, { form: 'query', caller }, async (client, row) => {
    const whole = { ...row.fields, display_name: row.displayName };
    const { named, fields } = applyMask(whole, alert, { mask, changeable, prefix: 'alert.' });
    const { display_name, owner_user_name, ...rest } = fields;
    const checked = checkAlertFields(rest);
    if (named.includes('query_id')) await requireQuery(client, checked.query_id ?? '');
    const owner = named.includes('owner_user_name') ? await findOwner(client, owner_user_name) : {};
    const displayName = await nameOf(client, row, display_name, isResolved);
    return { ...row, ...owner, displayName, fields: checked };
  });
}

export function updateTextAlert(
  services: SaveServices,
  { id, update_mask: mask, ...given }: RequestOf<typeof routes.textAlertsUpdate>,
  caller: Caller,
): Promise<RowOf<'text'>> {
  return change(services.db, id, { form: 'text', caller }, async (client, row) => {
    const whole = { ...row.fields, display_name: row.displayName };
    const { named, fields } = applyMask(whole, given, {
      mask,
      changeable: changeableOfText,
      prefix: 'alert.',
    });
    const { display_name, owner_user_name, ...rest } = fields;
    const checked = checkTextAlertFields(rest);
    if (named.includes('warehouse_id')) await requireWarehouse(services, checked.warehouse_id ?? '');
    const owner = named.includes('owner_user_name') ? await findOwner(client, owner_user_name) : {};
    const displayName = await nameOf(client, row, display_name, false);
    return { ...row, ...owner, displayName, fields: checked };
  });
}

async function change<Form extends AlertForm>(
  db: Services['db'],
  alertId: string,
  { form, caller }: { form: Form; caller: Caller },
  decide: (client: Querier, row: RowOf<Form>) => Promise<RowOf<Form>>,
): Promise<RowOf<Form>> {
  return db.transaction(async (client) => {
    const row = await lockChangeable(client, alertId, form, caller.principal);
    if (row.trashedAtMs !== null)
      throw new ApiError('INVALID_STATE', `Alert ${alertId} is in the trash and cannot be changed.`);
    const changed = { ...(await decide(client, row)), updatedAtMs: caller.nowMs };
    await saveRenamed(client, changed);
    return changed;
  });
}

/** Another may have taken the name since it was looked for. */
async function saveRenamed(client: Querier, row: AlertRow): Promise<void> {
  try {
    await updateAlertRow(client, row);
  } catch (error) {
    throw sqlState(error) === uniqueViolation ? nameTaken(row.displayName, row.parentPath) : error;
  }
}

/** Once more changes nothing. `isPurged`: it leaves nothing behind. */
export async function trashAlert(
  { db }: Pick<Services, 'db'>,
  alertId: string,
  { form, isPurged = false }: { readonly form: AlertForm; readonly isPurged?: boolean },
  { principal, nowMs }: Caller,
): Promise<void> {
  await db.transaction(async (client) => {
    const row = await lockChangeable(client, alertId, form, principal);
    if (isPurged) return deleteAlertRow(client, alertId);
    if (row.trashedAtMs === null)
      await updateAlertRow(client, { ...row, updatedAtMs: nowMs, trashedAtMs: nowMs });
  });
}

async function lockChangeable<Form extends AlertForm>(
  client: Querier,
  alertId: string,
  form: Form,
  principal: Principal,
): Promise<RowOf<Form>> {
  const row = await requireAlert(client, alertId, { form, isLocked: true });
  if (row.ownerId === principal.id || principal.isAdmin) return row;
  throw new ApiError(
    'PERMISSION_DENIED',
    `Alert ${alertId} belongs to ${row.ownerUserName}, who and administrators may change it.`,
  );
}

async function nameOf(
  client: Querier,
  { displayName, parentPath }: AlertRow,
  written: unknown,
  isResolved: boolean,
): Promise<string> {
  if (typeof written !== 'string') throw invalid('display_name: is missing, expected a text');
  if (written === displayName) return written;
  const taken = await listAlertNames(client, { parentPath, prefix: written });
  if (isResolved) return findFreeName(written, taken);
  if (taken.includes(written)) throw nameTaken(written, parentPath);
  return written;
}

async function freeName(db: Querier, name: string, parentPath: string): Promise<string> {
  return findFreeName(name, await listAlertNames(db, { parentPath, prefix: name }));
}

async function requireQuery(db: Querier, queryId: string): Promise<void> {
  const { lifecycle_state: state } = await getQuery(db, queryId);
  if (state === 'TRASHED') throw invalid(`alert.query_id: query ${queryId} is in the trash`);
}

async function requireWarehouse(services: SaveServices, warehouseId: string): Promise<void> {
  const found = await resolveWarehouse(services, warehouseId);
  if ('code' in found) throw invalid(`warehouse_id: ${found.message}`);
}

async function findOwner(
  client: Querier,
  userName: unknown,
): Promise<Pick<AlertRow, 'ownerId' | 'ownerUserName'>> {
  const owner = typeof userName === 'string' ? await findPrincipalByName(client, userName) : null;
  if (!owner) throw invalid(`owner_user_name: there is no user '${userName ?? ''}'`);
  return { ownerId: owner.id, ownerUserName: owner.userName };
}

function nameTaken(name: string, parentPath: string): ApiError {
  return new ApiError(
    'RESOURCE_ALREADY_EXISTS',
    `An alert named '${name}' already exists in ${parentPath}: choose another name.`,
  );
}

function invalid(message: string): ApiError {
  return new ApiError('INVALID_PARAMETER_VALUE', message);
}
