import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { deleteWarehouse, startWarehouse, stopWarehouse } from './change-warehouse.ts';
import { getWarehouse, listWarehousePage } from './list-warehouses.ts';
import { createWarehouse, editWarehouse } from './save-warehouse.ts';
import { toWarehouseDocument } from './wire.ts';

type Names = Extract<keyof typeof routes, `warehouse${string}`>;
type WarehouseHandlers = Pick<Handlers<typeof routes, RequestContext>, Names>;

/** What its rows have besides. */
export interface HookedWarehouse {
  readonly warehouseId: string;
  readonly clusterId: string;
}

export interface WarehouseHooks {
  /** What is wanted of its cluster has changed. */
  readonly announce: (clusterId: string) => Promise<void>;
  /** It is to stop: what serves it ends. */
  readonly stopped: (warehouse: HookedWarehouse) => Promise<void>;
  /** Somebody wants it up: its endpoint for that principal starts with it. */
  readonly warmUp: (warehouse: HookedWarehouse, principal: RequestContext['principal']) => Promise<void>;
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
      return toWarehouseDocument(await getWarehouse(db, id), publicUrl());
    },
    async warehousesList({ page_size: size, page_token: token }) {
      const { rows, nextToken } = await listWarehousePage(db, { size, token });
      const warehouses = rows.map((row) => toWarehouseDocument(row, publicUrl()));
      return { warehouses, ...(nextToken !== null && { next_page_token: nextToken }) };
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
