import { type Handlers, type routes, warehousesListLimitMax } from '@headrace/api';
import { z } from 'zod';
import type { RequestContext } from '../context.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import type { Services } from '../services.ts';
import { deleteWarehouse, startWarehouse, stopWarehouse } from './change-warehouse.ts';
import { createWarehouse, editWarehouse, unknownWarehouse } from './save-warehouse.ts';
import { listShownWarehouses, type WarehouseRow } from './store.ts';
import { toWarehouseDocument } from './wire.ts';

type Names = Extract<keyof typeof routes, `warehouse${string}`>;
type WarehouseHandlers = Pick<Handlers<typeof routes, RequestContext>, Names>;

const Position = z.object({ name: z.string(), warehouseId: z.string() });

export interface WarehouseHooks {
  /** What is wanted of its cluster has changed. */
  readonly announce: (clusterId: string) => Promise<void>;
  /** It is to stop: what serves it ends. */
  readonly stopped: (warehouse: WarehouseRow) => Promise<void>;
  /** Somebody wants it up: its endpoint for that principal starts with it. */
  readonly warmUp: (warehouse: WarehouseRow, principal: RequestContext['principal']) => Promise<void>;
  readonly publicUrl: () => string;
}

export function createWarehouseHandlers(services: Services, hooks: WarehouseHooks): WarehouseHandlers {
  const { db } = services;
  const { announce, stopped, warmUp, publicUrl } = hooks;
  return {
    async warehousesCreate(request, { principal }) {
      const row = await createWarehouse(services, request, principal);
      await announce(row.clusterId);
      await warmUp(row, principal);
      return { id: row.warehouseId };
    },
    async warehousesEdit({ id, ...fields }, { principal }) {
      const { row } = await editWarehouse(services, id, { fields, principal });
      await announce(row.clusterId);
      return {};
    },
    async warehousesGet({ id }) {
      const [row] = await listShownWarehouses(db, { warehouseId: id, after: null, limit: 1 });
      if (!row) throw unknownWarehouse(id);
      return toWarehouseDocument(row, publicUrl());
    },
    async warehousesList({ page_size: size, page_token: token }) {
      const limit = Math.min(warehousesListLimitMax, size || warehousesListLimitMax);
      const after = decodePageToken(token, Position);
      const found = await listShownWarehouses(db, { warehouseId: null, after, limit: limit + 1 });
      const rows = found.slice(0, limit);
      const warehouses = rows.map((row) => toWarehouseDocument(row, publicUrl()));
      const last = found.length > limit ? rows.at(-1) : undefined;
      if (!last) return { warehouses };
      const { name, warehouseId } = last;
      return { warehouses, next_page_token: encodePageToken({ name, warehouseId }) };
    },
    async warehousesDelete({ id }, { principal }) {
      const row = await deleteWarehouse({ services, warehouseId: id, principal });
      await stopped(row);
      return {};
    },
    async warehousesStart({ id }, { principal }) {
      const row = await startWarehouse({ services, warehouseId: id, principal });
      await announce(row.clusterId);
      await warmUp(row, principal);
      return {};
    },
    async warehousesStop({ id }, { principal }) {
      const row = await stopWarehouse({ services, warehouseId: id, principal });
      await stopped(row);
      return {};
    },
    async warehouseConfigGet() {
      return {
        security_policy: 'DATA_ACCESS_CONTROL',
        enable_serverless_compute: false,
        channel: { name: 'CHANNEL_NAME_CURRENT' },
        enabled_warehouse_types: ['CLASSIC', 'PRO'].map((warehouse_type) => ({
          warehouse_type,
          enabled: true,
        })),
        sql_configuration_parameters: { configuration_pairs: [] },
      };
    },
  };
}
