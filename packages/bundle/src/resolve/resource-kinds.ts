// The kinds of resources a deployment makes, by the names that `resources` uses. Every other kind stays in the
// configuration, is named in a warning and left out.

export const RESOURCE_KINDS = [
  'jobs',
  'clusters',
  'instance_pools',
  'cluster_policies',
  'sql_warehouses',
  'queries',
  'catalogs',
  'schemas',
  'volumes',
  'secret_scopes',
] as const;

export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export function isSupportedKind(kind: string): kind is ResourceKind {
  return RESOURCE_KINDS.some((known) => known === kind);
}
