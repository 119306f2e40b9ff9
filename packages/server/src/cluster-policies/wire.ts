import type { ClusterPolicy } from '@headrace/api';
import type { PolicyRow } from './store.ts';

export function toPolicyDocument({
  policyId,
  fields,
  definition,
  createdBy,
  createdAtMs,
  name,
}: PolicyRow): ClusterPolicy {
  return {
    ...fields,
    policy_id: policyId,
    name,
    definition,
    creator_user_name: createdBy,
    created_at_timestamp: createdAtMs,
    is_default: false,
  };
}
