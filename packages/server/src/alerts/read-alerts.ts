import { ApiError, type RequestOf, type ResponseOf, type routes } from '@headrace/api';
import { z } from 'zod';
import type { Querier } from '../db/connect.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import { type AlertForm, type AlertRow, findAlertRow, listAlertEvents, listAlertRows } from './store.ts';
import { toAlertEvent } from './wire.ts';

const Position = z.object({ createdAtMs: z.int().min(0), alertId: z.string() });
/** Zero asks for it, as in other lists of the public API. */
const pageSizeDefault = 20;

export type RowOf<Form extends AlertForm> = Extract<AlertRow, { form: Form }>;

/** An alert of the other form is none here. */
export async function requireAlert<Form extends AlertForm>(
  db: Querier,
  alertId: string,
  { form, isLocked = false }: { readonly form: Form; readonly isLocked?: boolean },
): Promise<RowOf<Form>> {
  const row = await findAlertRow(db, alertId, { isLocked });
  if (row?.form === form) return row as RowOf<Form>; // Its form says so.
  throw noSuchAlert(alertId);
}

export async function listAlerts<Form extends AlertForm>(
  db: Querier,
  form: Form,
  { page_size, page_token }: { readonly page_size: number; readonly page_token: string },
): Promise<{ readonly rows: readonly RowOf<Form>[]; readonly next: { readonly next_page_token?: string } }> {
  const size = page_size === 0 ? pageSizeDefault : page_size;
  const after = decodePageToken(page_token, Position);
  const rows = (await listAlertRows(db, { form, after, limit: size + 1 })) as RowOf<Form>[]; // Asked for by form.
  const page = rows.slice(0, size);
  const last = page.at(-1);
  if (rows.length <= size || !last) return { rows: page, next: {} };
  const { createdAtMs, alertId } = last;
  return { rows: page, next: { next_page_token: encodePageToken({ createdAtMs, alertId }) } };
}

export async function readAlertEvents(
  db: Querier,
  { id, limit }: RequestOf<typeof routes.alertEventsList>,
): Promise<ResponseOf<typeof routes.alertEventsList>> {
  if ((await findAlertRow(db, id)) === null) throw noSuchAlert(id);
  return { events: (await listAlertEvents(db, id, limit)).map(toAlertEvent) };
}

export function noSuchAlert(alertId: string): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `Alert ${alertId} does not exist.`);
}
