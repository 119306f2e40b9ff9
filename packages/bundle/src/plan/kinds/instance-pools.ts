import { InstancePoolFields } from '@headrace/api';
import { nullIfAbsent } from './is-absent.ts';
import {
  asTyped,
  type KindDefinition,
  NO_RULES,
  omitFields,
  withoutBundleFields,
} from './kind-definition.ts';

/** What the server adds to what people write. */
const SHOWN_ONLY = ['instance_pool_id', 'state', 'default_tags', 'stats', 'status'];

export const instancePools: KindDefinition = {
  kind: 'instance_pools',
  noun: 'instance pool',
  loss: null,
  rules: { ...NO_RULES, defaults: { min_idle_instances: 0 }, userMaps: ['custom_tags', 'spark_conf'] },
  recreateOn: ['node_type_id', 'preloaded_spark_versions'],
  toDocument: ({ settings }) => asTyped(InstancePoolFields, withoutBundleFields(settings)),
  nameOf: (document) => document.instance_pool_name,
  read: async (id, client) => {
    const pool = await nullIfAbsent(client.instancePoolsGet({ instance_pool_id: id }));
    return pool === null ? null : omitFields(pool, SHOWN_ONLY);
  },
  create: async (document, client) => {
    const request = document as Parameters<typeof client.instancePoolsCreate>[0];
    return (await client.instancePoolsCreate(request)).instance_pool_id;
  },
  update: async ({ id, document }, client) => {
    const request = { ...document, instance_pool_id: id } as Parameters<typeof client.instancePoolsEdit>[0];
    await client.instancePoolsEdit(request);
    return id;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.instancePoolsDelete({ instance_pool_id: id }));
  },
  find: async (document, client) => {
    const { instance_pools: pools } = await client.instancePoolsList({});
    return pools
      .filter((pool) => pool.instance_pool_name === document.instance_pool_name)
      .map((pool) => pool.instance_pool_id);
  },
};
