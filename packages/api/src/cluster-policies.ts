/**
 * Cluster policies: rules for what clusters may be, and the families that they may begin from. Names and limits as in
 * databricks-sdk 0.162.0 (Apache-2.0).
 */
import { z } from 'zod';
import { LibrarySpec } from './clusters.ts';
import { route } from './route.ts';
import { epochMs, Nothing, wireInt, wireIntBetween } from './wire.ts';

export const policyNameCharsMax = 100;
export const policyLibrariesMax = 500;
const definition = z.string().max(100_000);
const id = z.string().min(1).max(100);

/** As the API stores and shows it. */
export const ClusterPolicy = z.looseObject({
  policy_id: z.string(),
  name: z.string(),
  /** The rules that count: those of the family with the overrides in their places. */
  definition: z.string(),
  description: z.string().optional(),
  libraries: z.array(LibrarySpec).optional(),
  max_clusters_per_user: z.int().optional(),
  policy_family_id: z.string().optional(),
  policy_family_definition_overrides: z.string().optional(),
  creator_user_name: z.string().optional(),
  created_at_timestamp: epochMs,
  is_default: z.boolean(),
});
export type ClusterPolicy = z.output<typeof ClusterPolicy>;

export const PolicyFamily = z.looseObject({
  policy_family_id: z.string(),
  name: z.string(),
  description: z.string(),
  definition: z.string(),
});
export type PolicyFamily = z.output<typeof PolicyFamily>;

/** What people write of a policy. */
export const ClusterPolicyFields = z.object({
  name: z.string().min(1).max(policyNameCharsMax).optional(),
  /** JSON: rules by attribute. */
  definition: definition.optional(),
  description: z.string().max(1_000).optional(),
  libraries: z.array(LibrarySpec).max(policyLibrariesMax).optional(),
  max_clusters_per_user: wireIntBetween({ min: 1, max: 1_000_000 }).optional(),
  policy_family_id: id.optional(),
  policy_family_definition_overrides: definition.optional(),
});
export type ClusterPolicyFields = z.output<typeof ClusterPolicyFields>;

export const clusterPoliciesCreate = route({
  method: 'POST',
  path: '/api/2.0/policies/clusters/create',
  summary: 'Makes a policy: rules for the clusters that name it.',
  request: ClusterPolicyFields,
  response: z.looseObject({ policy_id: z.string() }),
  permission: 'admin',
  audit: 'cluster-policies.create',
});

export const clusterPoliciesEdit = route({
  method: 'POST',
  path: '/api/2.0/policies/clusters/edit',
  summary: 'Replaces what a policy says; clusters that break it stay as they are until they are edited.',
  request: z.object({ policy_id: id, ...ClusterPolicyFields.shape }),
  response: Nothing,
  permission: 'admin',
  audit: 'cluster-policies.edit',
});

export const clusterPoliciesDelete = route({
  method: 'POST',
  path: '/api/2.0/policies/clusters/delete',
  summary: 'Deletes a policy; clusters that name it can still run, and no more be edited.',
  request: z.object({ policy_id: id }),
  response: Nothing,
  permission: 'admin',
  audit: 'cluster-policies.delete',
});

export const clusterPoliciesGet = route({
  method: 'GET',
  path: '/api/2.0/policies/clusters/get',
  summary: 'Shows one policy.',
  request: z.object({ policy_id: id }),
  response: ClusterPolicy,
  permission: 'user',
  audit: 'cluster-policies.get',
});

export const clusterPoliciesList = route({
  method: 'GET',
  path: '/api/2.0/policies/clusters/list',
  summary: 'Lists all policies, newest first unless asked otherwise.',
  request: z.object({
    sort_column: z.enum(['POLICY_CREATION_TIME', 'POLICY_NAME']).default('POLICY_CREATION_TIME'),
    sort_order: z.enum(['ASC', 'DESC']).optional(),
  }),
  response: z.looseObject({ policies: z.array(ClusterPolicy).optional() }),
  permission: 'user',
  audit: 'cluster-policies.list',
});

export const policyFamiliesGet = route({
  method: 'GET',
  path: '/api/2.0/policy-families/{policy_family_id}',
  summary: 'Shows the rules that policies of a family begin from.',
  request: z.object({ policy_family_id: id, version: wireInt.optional() }),
  response: PolicyFamily,
  permission: 'user',
  audit: 'policy-families.get',
});

export const policyFamiliesList = route({
  method: 'GET',
  path: '/api/2.0/policy-families',
  summary: 'Lists the families of policies.',
  request: z.object({ max_results: wireInt.optional(), page_token: z.string().optional() }),
  response: z.looseObject({ policy_families: z.array(PolicyFamily), next_page_token: z.string().optional() }),
  permission: 'user',
  audit: 'policy-families.list',
});
