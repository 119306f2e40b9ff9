/**
 * What no request does: endpoints and tasks that ended take their statements with them, those that wait get an endpoint,
 * and what was kept for its time goes.
 */
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { RunServices } from '../runs/create-run.ts';
import { resolveWarehouse } from '../warehouses/resolve-warehouse.ts';
import type { Bell } from './bell.ts';
import { cancelOrphans } from './cancel-orphans.ts';
import {
  type EndedEndpoint,
  failOfEndpoint,
  failWaiting,
  findEndedWithStatements,
  findUnserved,
  markEnded,
} from './endpoint-store.ts';
import type { EndpointWatch } from './endpoint-watch.ts';
import { ensureEndpoint } from './endpoints.ts';
import * as limits from './limits.ts';
import { discardChunks } from './result-chunks.ts';
import type { StoredError } from './rows.ts';
import { deleteIdleSessions, deleteSessionsOf } from './session-store.ts';
import { deleteOldStatements, forgetResults } from './store.ts';

export const statementLoopName = 'statements';
/** How long a statement of an endpoint that died waits for the news, where no bell rings. */
const everyMs = 2_000;
const atOnceMax = 200;
/** What was kept for an hour may be kept for another minute. */
const upkeepEveryMs = 60_000;

interface LoopServices extends RunServices {
  readonly bell: Bell;
  readonly watch: EndpointWatch;
}

export function createStatementLoop(services: LoopServices): Loop {
  const { clock } = services;
  let upkeepDueMs = 0;
  return {
    name: statementLoopName,
    everyMs,
    async turn() {
      await settleAllEnded(services);
      await cancelOrphans(services);
      await serveUnserved(services);
      if (clock.nowMs() < upkeepDueMs) return 'idle';
      const isMore = await cleanUp(services);
      if (!isMore) upkeepDueMs = clock.nowMs() + upkeepEveryMs;
      return isMore ? 'again' : 'idle';
    },
  };
}

/** A mark is saved together with what follows from it: nobody looks at an endpoint that is marked again. */
async function settleAllEnded(services: LoopServices): Promise<void> {
  const { db, clock } = services;
  for (let settled = 0; settled < atOnceMax; settled += 1) {
    const done = await db.transaction(async (client) => {
      const endpoint = await markEnded(client, clock.nowMs());
      return endpoint && { endpoint, ended: await settleEnded(client, endpoint, clock.nowMs()) };
    });
    if (done === null) break;
    tell(services, done.endpoint, done.ended);
  }
  for (const endpoint of await findEndedWithStatements(db, atOnceMax))
    tell(services, endpoint, await settleEnded(db, endpoint, clock.nowMs()));
}

/** The statements that end with it. */
async function settleEnded(client: Querier, endpoint: EndedEndpoint, nowMs: number): Promise<string[]> {
  const { runId, warehouseId, principalId, readyAtMs } = endpoint;
  const why = endpoint.failure?.message ?? 'it was stopped';
  const error = toError(
    `The SQL endpoint of warehouse ${warehouseId} ended while the statement was under way: ${why} What the statement has written so far may be there; it is not run again.`,
  );
  const ended = await failOfEndpoint(client, { runId, nowMs, error });
  // One that never came up would not come up for those that waited for it, either.
  const createdBeforeMs = nowMs;
  const waiting =
    readyAtMs === null
      ? await failWaiting(client, {
          ...{ warehouseId, principalId, createdBeforeMs, nowMs },
          error: toError(`SQL warehouse ${warehouseId} could not be started: ${why}`),
        })
      : [];
  await deleteSessionsOf(client, [runId]);
  return [...ended, ...waiting].map(({ statementId }) => statementId);
}

function tell(
  { bell, watch }: LoopServices,
  { runId }: EndedEndpoint,
  statementIds: readonly string[],
): void {
  watch.remove(runId);
  for (const statementId of statementIds) bell.ring(`statement ${statementId}`);
}

function toError(message: string): StoredError {
  return { code: 'ABORTED', message, sql_state: '08006', error_class: null, position: null };
}

/** A server may have died between a statement and its endpoint; or the last one retired. */
async function serveUnserved(services: RunServices): Promise<void> {
  for (const { warehouseId, principalId, userName } of await findUnserved(services.db, atOnceMax)) {
    const found = await resolveWarehouse(services, warehouseId);
    if ('code' in found) {
      const { db, clock } = services;
      const nowMs = clock.nowMs();
      const error = toError(found.message);
      await failWaiting(db, { warehouseId, principalId, createdBeforeMs: nowMs, nowMs, error });
      continue;
    }
    const { clusterId } = found;
    await ensureEndpoint(services, { warehouseId, clusterId, principal: { id: principalId, userName } });
  }
}

/** Whether there is more. */
async function cleanUp(services: RunServices): Promise<boolean> {
  const { db, clock } = services;
  const nowMs = clock.nowMs();
  const gone = await forgetResults(db, { statementId: null, untilMs: nowMs, limit: atOnceMax });
  for (const { statementId, hasBlobs } of gone) if (hasBlobs) await discardChunks(services, statementId);
  const idle = await deleteIdleSessions(db, nowMs - limits.sessionIdleMs, atOnceMax);
  const old = await deleteOldStatements(db, nowMs - limits.historyKeptMs, atOnceMax);
  return Math.max(gone.length, idle, old) === atOnceMax;
}
