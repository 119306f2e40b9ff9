/**
 * Instance pools: hosts that are kept started for clusters to come. Names as in databricks-sdk 0.162.0 (Apache-2.0);
 * what only a cloud has is stored and shown, without effect.
 */
import { z } from 'zod';
import { route } from './route.ts';
import { Nothing, textMap, wireIntBetween, wireText } from './wire.ts';

const count = wireIntBetween({ min: 0, max: 1_000 });
const poolId = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\w.-]+$/);
const name = z.string().min(1).max(100);
const nodeType = z.string().min(1).max(255);

/** What can be changed later; the rest is for good. */
const changeable = {
  instance_pool_name: name,
  min_idle_instances: count.optional(),
  /** Hosts in all, whether clusters have them or nobody. */
  max_capacity: wireIntBetween({ min: 1, max: 1_000 }).optional(),
  /** How long a host that a cluster gave back is replaced by one that waits; those of min_idle_instances stay. */
  idle_instance_autotermination_minutes: wireIntBetween({ min: 0, max: 10_000 }).optional(),
  custom_tags: textMap.optional(),
  /** Ours: what the hosts are started with, so that clusters which ask for the same find one ready. */
  headrace: z
    .looseObject({
      spark_conf: z.record(z.string(), wireText).optional(),
      num_workers: wireIntBetween({ min: 0 }).optional(),
    })
    .optional(),
};

export const InstancePoolFields = z.looseObject({
  ...changeable,
  node_type_id: nodeType,
  preloaded_spark_versions: z.array(z.string().max(255)).max(10).optional(),
});
export type InstancePoolFields = z.output<typeof InstancePoolFields>;

export const InstancePoolDocument = z.looseObject({
  ...InstancePoolFields.shape,
  instance_pool_id: z.string(),
  state: z.enum(['ACTIVE', 'STOPPED', 'DELETED']),
  default_tags: textMap,
  stats: z.looseObject({
    used_count: z.int(),
    idle_count: z.int(),
    pending_used_count: z.int(),
    pending_idle_count: z.int(),
  }),
  status: z.looseObject({
    pending_instance_errors: z
      .array(z.looseObject({ instance_id: z.string(), message: z.string() }))
      .optional(),
  }),
});
export type InstancePoolDocument = z.output<typeof InstancePoolDocument>;

const InstancePoolId = z.object({ instance_pool_id: z.string().min(1).max(255) });

export const instancePoolsCreate = route({
  method: 'POST',
  path: '/api/2.0/instance-pools/create',
  summary: 'Makes a pool; under the id that is asked for, where one is and it is free.',
  request: z.looseObject({ ...InstancePoolFields.shape, instance_pool_id: poolId.optional() }),
  response: z.looseObject({ instance_pool_id: z.string() }),
  permission: 'admin',
  audit: 'instance-pools.create',
});

export const instancePoolsEdit = route({
  method: 'POST',
  path: '/api/2.0/instance-pools/edit',
  summary: 'Replaces what can be changed of a pool; its node type cannot.',
  request: z.looseObject({ ...InstancePoolId.shape, ...changeable, node_type_id: nodeType }),
  response: Nothing,
  permission: 'admin',
  audit: 'instance-pools.edit',
});

export const instancePoolsDelete = route({
  method: 'POST',
  path: '/api/2.0/instance-pools/delete',
  summary: 'Deletes a pool and ends its idle hosts; clusters that have hosts of it keep them.',
  request: InstancePoolId,
  response: Nothing,
  permission: 'admin',
  audit: 'instance-pools.delete',
});

export const instancePoolsGet = route({
  method: 'GET',
  path: '/api/2.0/instance-pools/get',
  summary: 'Shows one pool and how many hosts it has.',
  request: InstancePoolId,
  response: InstancePoolDocument,
  permission: 'user',
  audit: 'instance-pools.get',
});

export const instancePoolsList = route({
  method: 'GET',
  path: '/api/2.0/instance-pools/list',
  summary: 'Lists all pools, by name.',
  request: z.object({}),
  response: z.looseObject({ instance_pools: z.array(InstancePoolDocument) }),
  permission: 'user',
  audit: 'instance-pools.list',
});
