import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { getPool, listPools } from './read-pools.ts';
import { createPool, deletePool, editPool } from './save-pool.ts';

type PoolHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'instancePoolsCreate'
  | 'instancePoolsEdit'
  | 'instancePoolsDelete'
  | 'instancePoolsGet'
  | 'instancePoolsList'
>;

/** @param onChanged rings the worker that keeps hosts ready. */
export function createPoolHandlers(
  services: Pick<Services, 'db'>,
  onChanged: () => Promise<void>,
): PoolHandlers {
  const { db } = services;
  return {
    async instancePoolsCreate(fields, context) {
      const instance_pool_id = await createPool(services, fields, context);
      await onChanged();
      return { instance_pool_id };
    },
    async instancePoolsEdit({ instance_pool_id, ...fields }) {
      await editPool(services, instance_pool_id, fields);
      await onChanged();
      return {};
    },
    async instancePoolsDelete({ instance_pool_id }) {
      await deletePool(services, instance_pool_id);
      await onChanged();
      return {};
    },
    instancePoolsGet: ({ instance_pool_id }) => getPool(db, instance_pool_id),
    async instancePoolsList() {
      return { instance_pools: await listPools(db) };
    },
  };
}
