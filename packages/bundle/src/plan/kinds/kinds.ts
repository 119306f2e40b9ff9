// Every kind, in the order in which they depend on each other: what comes later may name what came before.

import type { ResourceKind } from '../../resolve/resource-kinds.ts';
import { alerts } from './alerts.ts';
import { catalogs } from './catalogs.ts';
import { clusterPolicies } from './cluster-policies.ts';
import { clusters } from './clusters.ts';
import { instancePools } from './instance-pools.ts';
import { jobs } from './jobs.ts';
import type { KindDefinition } from './kind-definition.ts';
import { queries } from './queries.ts';
import { schemas } from './schemas.ts';
import { secretScopes } from './secret-scopes.ts';
import { sqlWarehouses } from './sql-warehouses.ts';
import { volumes } from './volumes.ts';

export const KINDS = {
  catalogs,
  schemas,
  volumes,
  secret_scopes: secretScopes,
  instance_pools: instancePools,
  cluster_policies: clusterPolicies,
  clusters,
  sql_warehouses: sqlWarehouses,
  queries,
  alerts,
  jobs,
} as const satisfies Record<ResourceKind, KindDefinition>;

const ORDER = Object.keys(KINDS);

export function kindOf(kind: ResourceKind): KindDefinition {
  return KINDS[kind];
}

export function rankOf(kind: ResourceKind): number {
  return ORDER.indexOf(kind);
}

/** `jobs.daily` → its kind and key; null: a kind that this version does not know. */
export function splitResource(resource: string): { kind: ResourceKind; key: string } | null {
  const dot = resource.indexOf('.');
  const kind = resource.slice(0, dot);
  return Object.hasOwn(KINDS, kind) ? { kind: kind as ResourceKind, key: resource.slice(dot + 1) } : null;
}
