import type { InstancePoolDocument } from '@headrace/api';
import type { CountedPoolRow } from './store.ts';

export function toPoolDocument(row: CountedPoolRow): InstancePoolDocument {
  const { poolId, fields, createdBy, errors } = row;
  return {
    ...fields,
    instance_pool_id: poolId,
    state: 'ACTIVE',
    default_tags: {
      Vendor: 'Headrace',
      Creator: createdBy,
      InstancePoolId: poolId,
      InstancePoolName: fields.instance_pool_name,
    },
    stats: {
      used_count: row.used,
      idle_count: row.idle,
      pending_used_count: row.pendingUsed,
      pending_idle_count: row.pendingIdle,
    },
    status: {
      pending_instance_errors: errors.map(({ hostKey, message }) => ({ instance_id: hostKey, message })),
    },
  };
}
