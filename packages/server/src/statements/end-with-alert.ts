/** The end of a statement that makes an alert: its query has been analysed, and both are stored together or not at all. */
import { ApiError } from '@headrace/api';
import { createStatedAlert } from '../alerts/save-alert.ts';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import type { StoredError } from './rows.ts';
import { endStatement, findStatement, type StatementEnd } from './store.ts';

/** The first column that Spark describes a query by: no other statement needs to be looked at. */
export const describedName = 'col_name';

/** False for a statement that makes none. Told again, as after an answer that got lost, it changes nothing. */
export async function endWithAlert(db: Services['db'], runId: number, end: StatementEnd): Promise<boolean> {
  const row = await findStatement(db, end.statementId);
  const alert = row?.request.alert;
  if (!row || !alert) return false;
  const { warehouseId, principalId: id, userName, runId: ownRunId } = row;
  if (row.state !== 'RUNNING' || ownRunId !== runId) return true;
  const maker = { principal: { id, userName }, nowMs: end.nowMs };
  try {
    await db.transaction(async (client: Querier) => {
      // First, so that of two ends one makes the alert.
      if (await endStatement(client, runId, end))
        await createStatedAlert(client, { ...alert, warehouseId }, maker);
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    await endStatement(db, runId, { ...end, ...toFailure(error) });
  }
  return true;
}

function toFailure({ code, message }: ApiError): Partial<StatementEnd> {
  // Duplicate object, or what is wrong with its definition.
  const sql_state = code === 'RESOURCE_ALREADY_EXISTS' ? '42710' : '42000';
  const error: StoredError = {
    ...{ code: 'BAD_REQUEST', message, sql_state, error_class: null, position: null },
  };
  return { state: 'FAILED', error, manifest: null, resultUntilMs: null, chunks: [] };
}
