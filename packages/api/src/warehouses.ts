/**
 * SQL warehouses. Names as in databricks-sdk 0.162.0 (Apache-2.0), seen in November 2026; what only the hosted product has
 * (Photon, serverless, spot) is stored and shown, without effect.
 */
import { z } from 'zod';
import { route } from './route.ts';
import { Nothing, wireBool, wireInt, wireIntBetween } from './wire.ts';

export const clusterSizes = [
  '2X-Small',
  'X-Small',
  'Small',
  'Medium',
  'Large',
  'X-Large',
  '2X-Large',
  '3X-Large',
  '4X-Large',
] as const;
export const warehouseTypes = ['TYPE_UNSPECIFIED', 'CLASSIC', 'PRO', 'REALTIME'] as const;
export const warehouseStates = ['STARTING', 'RUNNING', 'STOPPING', 'STOPPED', 'DELETING', 'DELETED'] as const;
export type WarehouseState = (typeof warehouseStates)[number];

const Channel = z.looseObject({ name: z.string().max(100).optional(), dbsql_version: z.string().optional() });
const tagsMax = 45;
const Tags = z.looseObject({
  custom_tags: z
    .array(z.looseObject({ key: z.string().min(1).max(127), value: z.string().max(255).optional() }))
    .max(tagsMax)
    .optional(),
});

/** Seconds of a statement at most, as hosted: two days. */
export const statementTimeoutSecondsMax = 172_800;

export const WarehouseFields = z.looseObject({
  name: z.string().min(1).max(100).optional(),
  cluster_size: z.enum(clusterSizes).optional(),
  /** Minutes without a statement after which it stops; 0: it does not. */
  auto_stop_mins: wireIntBetween({ min: 0, max: 100_000 }).optional(),
  min_num_clusters: wireIntBetween({ min: 1, max: 100 }).optional(),
  max_num_clusters: wireIntBetween({ min: 1, max: 100 }).optional(),
  warehouse_type: z.enum(warehouseTypes).optional(),
  enable_photon: wireBool.optional(),
  enable_serverless_compute: wireBool.optional(),
  spot_instance_policy: z.string().max(100).optional(),
  channel: Channel.optional(),
  tags: Tags.optional(),
  creator_name: z.string().max(255).optional(),
  instance_profile_arn: z.string().max(1_000).optional(),
  /** Seconds that a statement may take. */
  statement_timeout: wireIntBetween({ min: 0, max: statementTimeoutSecondsMax }).optional(),
});
export type WarehouseFields = z.output<typeof WarehouseFields>;

export const WarehouseDocument = z.looseObject({
  ...WarehouseFields.shape,
  id: z.string(),
  name: z.string(),
  state: z.enum(warehouseStates),
  num_clusters: z.int(),
  num_active_sessions: z.int(),
  jdbc_url: z.string(),
  odbc_params: z.looseObject({
    hostname: z.string(),
    path: z.string(),
    port: z.int(),
    protocol: z.string(),
  }),
  health: z.looseObject({ status: z.string(), message: z.string().optional() }),
  /** Ours: what stands in for a warehouse that nobody names, or nobody knows. */
  headrace: z.looseObject({ is_default: z.boolean(), cluster_id: z.string() }).optional(),
});
export type WarehouseDocument = z.output<typeof WarehouseDocument>;

const WarehouseId = z.object({ id: z.string().min(1).max(255) });
const path = '/api/2.0/sql/warehouses';

export const warehousesCreate = route({
  method: 'POST',
  path,
  summary: 'Makes a SQL warehouse and starts it.',
  request: z.looseObject({ ...WarehouseFields.shape, name: z.string().min(1).max(100) }),
  response: z.looseObject({ id: z.string() }),
  permission: 'user',
  audit: 'warehouses.create',
});

export const warehousesEdit = route({
  method: 'POST',
  path: `${path}/{id}/edit`,
  summary: 'Changes the given fields of a warehouse; one that runs with another size is restarted.',
  request: z.looseObject({ ...WarehouseFields.shape, ...WarehouseId.shape }),
  response: Nothing,
  permission: 'user',
  audit: 'warehouses.edit',
});

export const warehousesGet = route({
  method: 'GET',
  path: `${path}/{id}`,
  summary: 'Shows one warehouse.',
  request: WarehouseId,
  response: WarehouseDocument,
  permission: 'user',
  audit: 'warehouses.get',
});

export const warehousesListLimitMax = 100;

export const warehousesList = route({
  method: 'GET',
  path,
  summary: 'Lists warehouses, by name.',
  request: z.object({
    run_as_user_id: wireInt.optional(),
    page_size: wireIntBetween({ min: 0 }).default(0),
    page_token: z.string().default(''),
  }),
  response: z.looseObject({
    warehouses: z.array(WarehouseDocument),
    next_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'warehouses.list',
});

export const warehousesDelete = route({
  method: 'DELETE',
  path: `${path}/{id}`,
  summary: 'Stops a warehouse and deletes it; what runs on it ends.',
  request: WarehouseId,
  response: Nothing,
  permission: 'user',
  audit: 'warehouses.delete',
});

export const warehousesStart = route({
  method: 'POST',
  path: `${path}/{id}/start`,
  summary: 'Starts a warehouse; one that runs stays as it is.',
  request: WarehouseId,
  response: Nothing,
  permission: 'user',
  audit: 'warehouses.start',
});

export const warehousesStop = route({
  method: 'POST',
  path: `${path}/{id}/stop`,
  summary: 'Stops a warehouse; statements that run on it fail.',
  request: WarehouseId,
  response: Nothing,
  permission: 'user',
  audit: 'warehouses.stop',
});

const Pairs = z.looseObject({
  configuration_pairs: z.array(z.looseObject({ key: z.string(), value: z.string() })).optional(),
});

export const warehouseConfigGet = route({
  method: 'GET',
  path: '/api/2.0/sql/config/warehouses',
  summary: 'Shows what holds for all warehouses.',
  request: z.object({}),
  response: z.looseObject({
    security_policy: z.string(),
    enable_serverless_compute: z.boolean(),
    channel: Channel,
    enabled_warehouse_types: z.array(z.looseObject({ warehouse_type: z.string(), enabled: z.boolean() })),
    sql_configuration_parameters: Pairs,
  }),
  permission: 'user',
  audit: 'warehouse-config.get',
});
