/** Clusters under policies: what a policy makes of a description, and how many clusters it allows a user. */
import { ApiError, formatIssues, NewCluster } from '@headrace/api';
import type { Failure } from '@headrace/core';
import { applyPolicy } from '../cluster-policies/apply-policy.ts';
import { findPolicy, lockPolicy } from '../cluster-policies/read-policies.ts';
import type { Querier } from '../db/connect.ts';
import { findPool } from '../instance-pools/read-pools.ts';
import { countActiveUnder, findLife } from './life-store.ts';

export interface Governed {
  readonly spec: NewCluster;
  readonly warnings: readonly string[];
}

/** With what the policy puts in. Throws with all that breaks it, each with `field` in front. */
export async function governSpec(
  db: Querier,
  asked: NewCluster,
  { kind, field = '' }: { readonly kind: 'all_purpose' | 'job'; readonly field?: string },
): Promise<Governed> {
  const { instance_pool_id: poolId } = asked;
  const pool = poolId === undefined ? null : await findPool(db, poolId);
  const told =
    poolId === undefined || pool !== null
      ? []
      : [`instance_pool_id: ${poolId} is unknown here: the cluster starts a host of its own`];
  if (asked.policy_id === undefined) return { spec: asked, warnings: told };
  const policy = await findPolicy(db, asked.policy_id);
  if (policy === null)
    throw invalid(
      `${field}policy_id: Cluster policy ${asked.policy_id} does not exist: name another, or none`,
    );
  const { spec, problems, warnings } = applyPolicy(policy, asked, {
    clusterType: kind === 'job' ? 'job' : 'all-purpose',
    appliesDefaults: asked.apply_policy_default_values === true,
    poolNodeTypeId: pool?.fields.node_type_id ?? null,
  });
  if (problems.length > 0)
    throw invalid(`Cluster validation error: ${problems.map((problem) => field + problem).join('; ')}`);
  const parsed = NewCluster.safeParse(spec, { reportInput: true });
  if (!parsed.success)
    throw invalid(
      `${field}policy '${policy.name}' puts in what no cluster can have: ${formatIssues(parsed.error)}`,
    );
  return { spec: parsed.data, warnings: [...told, ...warnings] };
}

/** As `governSpec` for an attempt that is about to start: what is wrong ends it. */
export async function governJobSpec(db: Querier, asked: NewCluster): Promise<Governed | Failure> {
  try {
    return await governSpec(db, asked, { kind: 'job' });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { code: 'CLUSTER_ERROR', message: `${error.code}: ${error.message}`, trace: null };
  }
}

/**
 * Why this user may have no further cluster under its policy; null where they may. In a transaction: others that ask
 * wait until it ends.
 */
export async function findTooMany(
  client: Querier,
  { spec: { policy_id: policyId }, ownerId, clusterId }: TooManyQuestion,
): Promise<string | null> {
  if (policyId === undefined) return null;
  const policy = await lockPolicy(client, policyId);
  if (!policy || policy.clustersPerUserMax === null) return null;
  const active = await countActiveUnder(client, { policyId, ownerId, exceptId: clusterId });
  if (active < policy.clustersPerUserMax) return null;
  return `policy_id: policy '${policy.name}' (${policyId}) allows ${policy.clustersPerUserMax} active clusters for each user (max_clusters_per_user), and there are ${active}: terminate one first`;
}

interface TooManyQuestion {
  readonly spec: NewCluster;
  readonly ownerId: number;
  readonly clusterId: string;
}

/** As `findTooMany`, thrown. */
export async function refuseTooMany(client: Querier, question: TooManyQuestion): Promise<void> {
  const problem = await findTooMany(client, question);
  if (problem !== null) throw invalid(problem);
}

function invalid(message: string): ApiError {
  return new ApiError('INVALID_PARAMETER_VALUE', message);
}

/** Of an all-purpose cluster; undefined where it names none. */
export async function findPolicyIdOf(db: Querier, clusterId: string): Promise<string | undefined> {
  return (await findLife(db, clusterId))?.spec.policy_id;
}
