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

/** What each kind's id is called in its own document. */
const ID_FIELDS: Readonly<Record<ResourceKind, string>> = {
  jobs: 'job_id',
  clusters: 'cluster_id',
  instance_pools: 'instance_pool_id',
  cluster_policies: 'policy_id',
  sql_warehouses: 'id',
  queries: 'id',
  catalogs: 'full_name',
  schemas: 'full_name',
  volumes: 'full_name',
  secret_scopes: 'name',
};

/** Other fields that nobody writes: the server gives them once the resource is there. */
const FIELDS_AFTER_DEPLOY: Readonly<Record<ResourceKind, readonly string[]>> = {
  jobs: ['creator_user_name', 'created_time'],
  clusters: ['state', 'default_tags', 'creator_user_name'],
  instance_pools: ['state', 'default_tags'],
  cluster_policies: ['created_at_timestamp', 'creator_user_name'],
  sql_warehouses: ['jdbc_url', 'odbc_params', 'state', 'creator_name', 'num_clusters'],
  queries: ['owner_user_name', 'create_time', 'last_modifier_user_name', 'lifecycle_state'],
  catalogs: ['owner', 'storage_location', 'created_at', 'catalog_type'],
  schemas: ['owner', 'schema_id', 'storage_location', 'created_at', 'catalog_type'],
  volumes: ['owner', 'volume_id', 'storage_location', 'created_at'],
  secret_scopes: [],
};

/** Whether a field is the id, by that name or by the document's own. */
export function isIdField(kind: string, field: string): boolean {
  return field === 'id' || (isSupportedKind(kind) && ID_FIELDS[kind] === field);
}

/** Whether a deployment may still tell a field that the configuration does not give. */
export function isKnownAfterDeploy(kind: string, field: string): boolean {
  // Of other kinds this version knows no fields; nothing that needs them is deployed by it.
  if (!isSupportedKind(kind)) return true;
  return isIdField(kind, field) || field === 'url' || FIELDS_AFTER_DEPLOY[kind].includes(field);
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
