// The kinds of resources a deployment makes, by the names that `resources` uses. Every other kind stays in the
// configuration, is named in a warning and left out.

export const RESOURCE_KINDS = [
  'jobs',
  'clusters',
  'instance_pools',
  'cluster_policies',
  'sql_warehouses',
  'queries',
  'alerts',
  'catalogs',
  'schemas',
  'volumes',
  'secret_scopes',
] as const;

export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export function isSupportedKind(kind: string): kind is ResourceKind {
  return RESOURCE_KINDS.some((known) => known === kind);
}

/** What follows from a resource's id, besides the id itself: nothing else can be told before it is there. */
const FIELDS_FROM_ID: Readonly<Record<ResourceKind, readonly string[]>> = {
  jobs: ['job_id', 'url'],
  clusters: ['cluster_id'],
  instance_pools: ['instance_pool_id'],
  cluster_policies: ['policy_id'],
  sql_warehouses: [],
  queries: [],
  alerts: [],
  catalogs: ['full_name'],
  schemas: ['full_name'],
  volumes: ['full_name', 'volume_path'],
  secret_scopes: [],
};

/** Whether a deployment tells a field that the configuration does not give. */
export function isKnownAfterDeploy(kind: string, field: string): boolean {
  // Of other kinds this version knows no fields; nothing that needs them is deployed by it.
  return !isSupportedKind(kind) || field === 'id' || FIELDS_FROM_ID[kind].includes(field);
}

export interface ResourceName {
  readonly field: string;
  /** free: any text; word: letters, digits and underscores; path: a place in the workspace, whose last part is the name. */
  readonly style: 'free' | 'word' | 'path';
  /** Without a name of its own, the resource is named as it is in the files. */
  readonly isKeyByDefault?: boolean;
  /** The field that names what it lies in, and what has the prefix for it when that is of this bundle too. */
  readonly parent?: string;
}

/** What each kind calls its name, also of kinds that are not deployed here: their names can be referred to. */
export const RESOURCE_NAMES: Readonly<Record<string, ResourceName>> = {
  jobs: { field: 'name', style: 'free', isKeyByDefault: true },
  pipelines: { field: 'name', style: 'free', isKeyByDefault: true },
  clusters: { field: 'cluster_name', style: 'free', isKeyByDefault: true },
  instance_pools: { field: 'instance_pool_name', style: 'free' },
  cluster_policies: { field: 'name', style: 'free' },
  sql_warehouses: { field: 'name', style: 'free' },
  queries: { field: 'display_name', style: 'free' },
  alerts: { field: 'display_name', style: 'free' },
  dashboards: { field: 'display_name', style: 'free' },
  experiments: { field: 'name', style: 'path' },
  catalogs: { field: 'name', style: 'word' },
  schemas: { field: 'name', style: 'word', parent: 'catalog_name' },
  volumes: { field: 'name', style: 'word', parent: 'schema_name' },
  registered_models: { field: 'name', style: 'word', parent: 'schema_name' },
  secret_scopes: { field: 'name', style: 'word' },
};
