/** Warehouses as they are shown: with the state of their clusters and the count of their sessions. */
import { warehousesListLimitMax } from '@headrace/api';
import { z } from 'zod';
import type { Querier } from '../db/connect.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import { unknownWarehouse } from './save-warehouse.ts';
import { listShownWarehouses, type ShownWarehouseRow } from './store.ts';

const Position = z.object({ name: z.string(), warehouseId: z.string() });

export async function getWarehouse(db: Querier, warehouseId: string): Promise<ShownWarehouseRow> {
  const [row] = await listShownWarehouses(db, { warehouseId, after: null, limit: 1 });
  if (!row) throw unknownWarehouse(warehouseId);
  return row;
}

export async function listWarehousePage(
  db: Querier,
  { size, token }: { readonly size: number; readonly token: string },
): Promise<{ readonly rows: readonly ShownWarehouseRow[]; readonly nextToken: string | null }> {
  const limit = Math.min(warehousesListLimitMax, size || warehousesListLimitMax);
  const after = decodePageToken(token, Position);
  const found = await listShownWarehouses(db, { warehouseId: null, after, limit: limit + 1 });
  const rows = found.slice(0, limit);
  const last = found.length > limit ? rows.at(-1) : undefined;
  if (!last) return { rows, nextToken: null };
  const { name, warehouseId } = last;
  return { rows, nextToken: encodePageToken({ name, warehouseId }) };
}
