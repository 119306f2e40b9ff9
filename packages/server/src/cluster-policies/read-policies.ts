import { ApiError, type ClusterPolicy, type LibrarySpec } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { parseDefinition } from './parse-definition.ts';
import type { PolicyRules } from './policy-rule.ts';
import { findPolicyRow, listPolicyRows, type PolicyRow } from './store.ts';
import { toPolicyDocument } from './wire.ts';

const listedMax = 1_000;

export function noSuchPolicy(policyId: string): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `Cluster policy ${policyId} does not exist`);
}

export async function getPolicy(db: Querier, policyId: string): Promise<ClusterPolicy> {
  const row = await findPolicyRow(db, policyId);
  if (!row) throw noSuchPolicy(policyId);
  return toPolicyDocument(row);
}

export async function listPolicies(
  db: Querier,
  column: 'POLICY_CREATION_TIME' | 'POLICY_NAME',
  direction: 'ASC' | 'DESC',
): Promise<ClusterPolicy[]> {
  return (await listPolicyRows(db, column, { direction, limit: listedMax })).map(toPolicyDocument);
}

export interface StoredPolicy extends PolicyRules {
  /** Null: as many as they like. */
  readonly clustersPerUserMax: number | null;
}

/** Null when there is none of this id. */
export async function findPolicy(db: Querier, policyId: string): Promise<StoredPolicy | null> {
  const row = await findPolicyRow(db, policyId);
  return row && toStored(row);
}

/** In a transaction: others that lock it wait until it ends. */
export async function lockPolicy(db: Querier, policyId: string): Promise<StoredPolicy | null> {
  const row = await findPolicyRow(db, policyId, { isLocked: true });
  return row && toStored(row);
}

function toStored(row: PolicyRow): StoredPolicy {
  return {
    policyId: row.policyId,
    name: row.name,
    rules: parseDefinition(row.definition),
    clustersPerUserMax: row.fields.max_clusters_per_user ?? null,
  };
}

/** What tasks get on clusters that name it. Nothing of a policy that is gone. */
export async function listPolicyLibraries(
  db: Querier,
  policyId: string | undefined,
): Promise<readonly LibrarySpec[]> {
  const row = policyId === undefined ? null : await findPolicyRow(db, policyId);
  return row?.fields.libraries ?? [];
}
