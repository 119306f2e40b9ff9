/** Tables come back after they were dropped, for as long as they are kept; then the retention loop takes their files. */
import { ApiError, catalogPageMax, type DroppedTable, type RequestOf, type routes } from '@headrace/api';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { requireSchema } from './change-schemas.ts';
import { discardManaged, removeAll } from './discard-managed.ts';
import {
  type DroppedRow,
  deleteDropped,
  forgetDropped,
  listDropped,
  lockDropped,
  restoreTable,
} from './dropped-store.ts';
import { foldName, formatTableName, parseTableName } from './names.ts';
import { taken } from './problems.ts';
import type { Stamp } from './rows.ts';
import { findTableById, type TableRow } from './table-store.ts';

const hourMs = 3_600_000;

/** Dropped at this time or before: their time is over. */
const overSince = (config: Config, nowMs: number) => nowMs - config.droppedTablesKeptHours * hourMs;

/** Into the schema it was in, or, if that is gone, into one of the same name. */
export async function undropTable(
  { db, config }: Services,
  request: RequestOf<(typeof routes)['droppedTablesUndrop']>,
  stamp: Stamp,
): Promise<TableRow> {
  const wanted = readWanted(request);
  return db.transaction(async (client) => {
    const dropped = await lockDropped(client, wanted, overSince(config, stamp.atMs));
    if (!dropped) {
      const shown = 'name' in wanted ? formatTableName(wanted.name) : wanted.id;
      const kept = `a dropped table can be restored for ${config.droppedTablesKeptHours} hours`;
      throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Dropped table '${shown}' does not exist: ${kept}.`);
    }
    const { catalog, schema } = dropped;
    const schemaId = dropped.schemaId ?? (await requireSchema(client, dropped)).id;
    const name = request.new_name === undefined ? dropped.name : foldName(request.new_name);
    if (!(await restoreTable(client, { id: dropped.id, schemaId, name }, stamp)))
      throw taken('Table', formatTableName({ catalog, schema, table: name }));
    await deleteDropped(client, dropped.id);
    const row = await findTableById(client, dropped.id);
    if (!row) throw new Error(`bug: table ${dropped.id} is not found in the transaction that restored it`);
    return row;
  });
}

function readWanted({ full_name, table_id }: RequestOf<(typeof routes)['droppedTablesUndrop']>) {
  if (table_id !== undefined && full_name === undefined) return { id: table_id };
  if (full_name !== undefined && table_id === undefined) return { name: parseTableName(full_name) };
  throw new ApiError('INVALID_PARAMETER_VALUE', 'full_name: give this or table_id, and not both');
}

const DroppedPosition = z.object({ droppedAtMs: z.int(), id: z.uuid() });

export async function listDroppedPage(
  { db, config }: Services,
  request: RequestOf<(typeof routes)['droppedTablesList']>,
  nowMs: number,
): Promise<{ tables: DroppedTable[]; next_page_token?: string }> {
  const limit = request.max_results === 0 ? catalogPageMax : Math.min(request.max_results, catalogPageMax);
  const before = decodePageToken(request.page_token, DroppedPosition);
  const [catalog, schema] = [request.catalog_name, request.schema_name].map((name) =>
    name === undefined ? null : foldName(name),
  );
  const found = await listDropped(
    db,
    { catalog: catalog ?? null, schema: schema ?? null },
    { afterMs: overSince(config, nowMs), before, limit: limit + 1 },
  );
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const next = found.length > limit && last ? { droppedAtMs: last.droppedAtMs, id: last.id } : null;
  return {
    tables: rows.map((row) => toDroppedTable(row, config)),
    ...(next === null ? {} : { next_page_token: encodePageToken(next) }),
  };
}

function toDroppedTable(row: DroppedRow, config: Config): DroppedTable {
  return {
    table_id: row.id,
    name: row.name,
    catalog_name: row.catalog,
    schema_name: row.schema,
    full_name: formatTableName({ catalog: row.catalog, schema: row.schema, table: row.name }),
    table_type: row.tableType,
    deleted_at: row.droppedAtMs,
    deleted_by: row.droppedBy,
    restorable_until: row.droppedAtMs + config.droppedTablesKeptHours * hourMs,
  };
}

const everyMs = 600_000;
const tablesOfTurn = 20;

/** What cannot be undropped any more goes: its row first, noting its files, then they. */
export function createDroppedTablesLoop(services: Services): Loop {
  const { db, clock, config } = services;
  return {
    name: 'dropped-tables',
    everyMs,
    async turn() {
      const nowMs = clock.nowMs();
      const untilMs = overSince(config, nowMs);
      const work = db.transaction(async (client) => {
        const tables = await forgetDropped(client, { untilMs, limit: tablesOfTurn });
        return { count: tables.length, discarded: await discardManaged(services, client, tables, nowMs) };
      });
      const { count, discarded } = await work;
      await removeAll(discarded);
      return count === tablesOfTurn ? 'again' : 'idle';
    },
  };
}
