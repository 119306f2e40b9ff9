import { ApiError, type Handlers, type routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { findFamily, policyFamilies } from './families.ts';
import { getPolicy, listPolicies } from './read-policies.ts';
import { createPolicy, deletePolicy, editPolicy } from './save-policy.ts';

type PolicyHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'clusterPoliciesCreate'
  | 'clusterPoliciesEdit'
  | 'clusterPoliciesDelete'
  | 'clusterPoliciesGet'
  | 'clusterPoliciesList'
  | 'policyFamiliesGet'
  | 'policyFamiliesList'
>;

export function createPolicyHandlers(services: Pick<Services, 'db'>): PolicyHandlers {
  const { db } = services;
  return {
    async clusterPoliciesCreate(fields, context) {
      return { policy_id: await createPolicy(services, fields, context) };
    },
    async clusterPoliciesEdit({ policy_id, ...fields }) {
      await editPolicy(services, policy_id, fields);
      return {};
    },
    async clusterPoliciesDelete({ policy_id }) {
      await deletePolicy(services, policy_id);
      return {};
    },
    clusterPoliciesGet: ({ policy_id }) => getPolicy(db, policy_id),
    async clusterPoliciesList({ sort_column: column, sort_order }) {
      const direction = sort_order ?? (column === 'POLICY_NAME' ? 'ASC' : 'DESC');
      return { policies: await listPolicies(db, column, direction) };
    },
    async policyFamiliesGet({ policy_family_id: id }) {
      const family = findFamily(id);
      if (!family) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Policy family ${id} does not exist`);
      return family;
    },
    async policyFamiliesList() {
      return { policy_families: [...policyFamilies] };
    },
  };
}
