import type { ClusterPolicyFields } from '@headrace/api';
import type { Querier } from '../db/connect.ts';

export interface PolicyRow {
  readonly policyId: string;
  readonly name: string;
  /** As it was written. */
  readonly fields: ClusterPolicyFields;
  /** The rules that count, in JSON. */
  readonly definition: string;
  readonly createdBy: string;
  readonly createdAtMs: number;
}

const columns = `
  policy_id as "policyId", name, fields, definition, created_by as "createdBy", created_at_ms as "createdAtMs"`;

/** False when the name is taken, or the id. */
export async function insertPolicy(db: Querier, row: PolicyRow): Promise<boolean> {
  const rows = await db.query({
    name: 'cluster-policies-insert',
    text: `
      insert into cluster_policies (policy_id, name, fields, definition, created_by, created_at_ms)
      values ($1, $2, $3, $4, $5, $6)
      on conflict do nothing
      returning policy_id`,
    values: [
      ...[row.policyId, row.name, JSON.stringify(row.fields), row.definition],
      ...[row.createdBy, row.createdAtMs],
    ],
  });
  return rows.length > 0;
}

export async function updatePolicy(
  db: Querier,
  row: Pick<PolicyRow, 'policyId' | 'name' | 'fields' | 'definition'>,
): Promise<void> {
  await db.query({
    name: 'cluster-policies-update',
    text: `
      update cluster_policies
      set name = $2, fields = $3, definition = $4
      where policy_id = $1`,
    values: [row.policyId, row.name, JSON.stringify(row.fields), row.definition],
  });
}

export async function isNameTaken(db: Querier, name: string, policyId: string): Promise<boolean> {
  const rows = await db.query({
    name: 'cluster-policies-find-name',
    text: 'select policy_id from cluster_policies where name = $1 and policy_id <> $2',
    values: [name, policyId],
  });
  return rows.length > 0;
}

export async function deletePolicyRow(db: Querier, policyId: string): Promise<boolean> {
  const rows = await db.query({
    name: 'cluster-policies-delete',
    text: 'delete from cluster_policies where policy_id = $1 returning policy_id',
    values: [policyId],
  });
  return rows.length > 0;
}

export async function findPolicyRow(
  db: Querier,
  policyId: string,
  { isLocked = false }: { readonly isLocked?: boolean } = {},
): Promise<PolicyRow | null> {
  const rows = await db.query<PolicyRow>({
    name: isLocked ? 'cluster-policies-lock' : 'cluster-policies-find',
    text: `select ${columns} from cluster_policies where policy_id = $1 ${isLocked ? 'for update' : ''}`,
    values: [policyId],
  });
  return rows[0] ?? null;
}

const orders = {
  POLICY_CREATION_TIME: { ASC: 'created_at_ms, policy_id', DESC: 'created_at_ms desc, policy_id desc' },
  POLICY_NAME: { ASC: 'lower(name), policy_id', DESC: 'lower(name) desc, policy_id desc' },
} as const;

export function listPolicyRows(
  db: Querier,
  column: keyof typeof orders,
  { direction, limit }: { readonly direction: 'ASC' | 'DESC'; readonly limit: number },
): Promise<PolicyRow[]> {
  return db.query<PolicyRow>({
    name: `cluster-policies-list-${column}-${direction}`,
    text: `select ${columns} from cluster_policies order by ${orders[column][direction]} limit $1`,
    values: [limit],
  });
}

export async function countPolicies(db: Querier): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'cluster-policies-count',
    text: 'select count(*) as count from cluster_policies',
    values: [],
  });
  return rows[0]?.count ?? 0;
}
