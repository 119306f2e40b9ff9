/** Makes, changes and deletes pools; workers follow what stands here with their next heartbeat. */
import crypto from 'node:crypto';
import { ApiError, InstancePoolFields } from '@headrace/api';
import type { Principal } from '../context.ts';
import { refuseUnstorable } from '../jobs/validate-settings.ts';
import type { Services } from '../services.ts';
import { noSuchPool } from './read-pools.ts';
import { countPools, deletePoolRow, insertPool, lockPool, updatePool } from './store.ts';

/** A list has no pages, as public clients know it. */
export const poolsMax = 1_000;
/** Shown, never stored: what `get` gives may be sent again. */
const shownOnly = ['state', 'stats', 'status', 'default_tags', 'instance_pool_id'];

/** Its id. */
export async function createPool(
  { db }: Pick<Services, 'db'>,
  {
    instance_pool_id: wanted,
    ...given
  }: InstancePoolFields & { readonly instance_pool_id?: string | undefined },
  { principal, nowMs }: { readonly principal: Principal; readonly nowMs: number },
): Promise<string> {
  const fields = toStored(given);
  if ((await countPools(db)) >= poolsMax)
    throw new ApiError('RESOURCE_LIMIT_EXCEEDED', `there are ${poolsMax} instance pools: delete one first`);
  const poolId = wanted ?? `pool-${crypto.randomBytes(6).toString('hex')}`;
  if (!(await insertPool(db, { poolId, fields, createdBy: principal.userName, nowMs })))
    throw new ApiError(
      'RESOURCE_ALREADY_EXISTS',
      `Instance pool ${poolId} already exists: leave instance_pool_id out to get a new id`,
    );
  return poolId;
}

type Changes = Pick<InstancePoolFields, 'instance_pool_name' | 'node_type_id'> &
  Readonly<Record<string, unknown>>;

/** What a request leaves out of what can be changed is taken out; the rest stays. */
export async function editPool({ db }: Pick<Services, 'db'>, poolId: string, given: Changes): Promise<void> {
  await db.transaction(async (client) => {
    const row = await lockPool(client, poolId);
    if (!row) throw noSuchPool(poolId);
    if (row.fields.node_type_id !== given.node_type_id)
      throw new ApiError(
        'INVALID_PARAMETER_VALUE',
        `node_type_id: that of a pool cannot be changed: it is ${row.fields.node_type_id}`,
      );
    const {
      min_idle_instances: _,
      max_capacity: __,
      idle_instance_autotermination_minutes: ___,
      custom_tags: ____,
      headrace: _____,
      ...kept
    } = row.fields;
    await updatePool(client, poolId, toStored({ ...kept, ...given }));
  });
}

export async function deletePool({ db }: Pick<Services, 'db'>, poolId: string): Promise<void> {
  if (!(await deletePoolRow(db, poolId))) throw noSuchPool(poolId);
}

function toStored(given: InstancePoolFields): InstancePoolFields {
  refuseUnstorable(given, 'instance pool');
  const stored = Object.fromEntries(Object.entries(given).filter(([name]) => !shownOnly.includes(name)));
  const fields = InstancePoolFields.parse(stored);
  const { min_idle_instances: min = 0, max_capacity: max } = fields;
  if (max !== undefined && min > max)
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `min_idle_instances: ${min} hosts cannot wait where max_capacity allows ${max}`,
    );
  return fields;
}
