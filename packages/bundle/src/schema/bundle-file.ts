// The levels of the file format, section by section. What the API knows is taken from its schemas.

import {
  ClusterPolicyFields,
  InstancePoolFields,
  JobSettings,
  NewQuery,
  routes,
  TextAlertFields,
} from '@headrace/api';
import { z } from 'zod';
import type { ResourceKind } from '../resolve/resource-kinds.ts';

const text = z.string();
const texts = z.array(z.string());

const RunAs = z.looseObject({
  user_name: text.optional().describe('Name of the user, most often an address.'),
  service_principal_name: text.optional().describe('Name of the service principal.'),
  group_name: text.optional().describe('Name of the group.'),
});

const Permission = z.looseObject({
  level: text.describe('What is allowed, such as CAN_VIEW, CAN_RUN or CAN_MANAGE.'),
  user_name: text.optional().describe('Name of the user, most often an address.'),
  group_name: text.optional().describe('Name of the group.'),
  service_principal_name: text.optional().describe('Name of the service principal.'),
});

/** What every resource may say beside its own settings. */
export const resourceFields = {
  permissions: z.array(Permission).describe('Who may do what with it.'),
  grants: z
    .array(z.looseObject({ principal: text, privileges: texts }))
    .describe('Privileges on an object of the catalog, by principal.'),
  lifecycle: z
    .looseObject({ prevent_destroy: z.boolean().optional() })
    .describe('What a deployment may do with it.'),
} as const;

const SecretScope = z.looseObject({
  name: text.optional().describe('Name of the scope; left out, its key.'),
  backend_type: text.optional().describe('Where its secrets are; only the default is supported here.'),
  keyvault_metadata: z.unknown().optional(),
});

/** The API takes the rules as a text of JSON; here they may be written out. */
const rules = z.union([text, z.record(z.string(), z.unknown())]).optional();
const ClusterPolicy = ClusterPolicyFields.extend({
  definition: rules.describe('The rules, by attribute; also as a text of JSON.'),
  policy_family_definition_overrides: rules.describe('Rules in place of those of the family.'),
});

const Volume = routes.volumesCreate.request.partial({ volume_type: true });

/** The settings of a resource, by its kind. */
export const resourceSchemas = {
  jobs: JobSettings,
  clusters: routes.clustersCreate.request,
  instance_pools: InstancePoolFields,
  cluster_policies: ClusterPolicy,
  sql_warehouses: routes.warehousesCreate.request,
  queries: NewQuery,
  alerts: TextAlertFields,
  catalogs: routes.catalogsCreate.request,
  schemas: routes.schemasCreate.request,
  volumes: Volume,
  secret_scopes: SecretScope,
} satisfies Record<ResourceKind, z.ZodType>;

const resourceTexts: Readonly<Record<ResourceKind, string>> = {
  jobs: 'Jobs, by key.',
  clusters: 'All-purpose clusters, by key.',
  instance_pools: 'Pools of hosts that are kept started, by key.',
  cluster_policies: 'Rules for what clusters may be, by key.',
  sql_warehouses: 'SQL warehouses, by key.',
  queries: 'Saved queries, by key.',
  alerts: 'Alerts with a query and a schedule of their own, by key.',
  catalogs: 'Catalogs, by key.',
  schemas: 'Schemas of a catalog, by key.',
  volumes: 'Volumes of a schema, by key.',
  secret_scopes: 'Secret scopes, by key.',
};

/** Kinds of the public format that are not supported here: known, kept, left out. */
export const OTHER_KINDS = [
  'apps',
  'dashboards',
  'database_catalogs',
  'database_instances',
  'experiments',
  'external_locations',
  'genie_spaces',
  'model_serving_endpoints',
  'models',
  'pipelines',
  'postgres_projects',
  'quality_monitors',
  'registered_models',
  'synced_database_tables',
  'vector_search_endpoints',
] as const;

export const Resources = z.looseObject({
  ...Object.fromEntries(
    Object.entries(resourceSchemas).map(([kind, schema]) => [
      kind,
      z
        .record(z.string(), schema)
        .optional()
        .describe(resourceTexts[kind as ResourceKind]), // the keys of the table are the kinds
    ]),
  ),
  ...Object.fromEntries(
    OTHER_KINDS.map((kind) => [kind, z.unknown().optional().describe('Not supported here: left out.')]),
  ),
});

const Bundle = z.looseObject({
  name: z
    .string()
    .min(1)
    .describe('Name of the bundle; with the target and the deployer it is its identity.'),
  databricks_cli_version: text.optional().describe('Kept; Headrace does not look at it.'),
  cluster_id: text.optional().describe('A cluster that replaces all others in mode development.'),
  compute_id: text.optional().describe('Old name of cluster_id.'),
  deployment: z
    .looseObject({
      lock: z
        .looseObject({ enabled: z.boolean().optional().describe('Whether a deployment locks out others.') })
        .optional()
        .describe('The lock of a deployment.'),
      fail_on_active_runs: z.boolean().optional().describe('Whether runs under way stop a deployment.'),
    })
    .optional()
    .describe('How deployments behave.'),
  git: z
    .looseObject({
      origin_url: text.optional().describe('Address of the repository.'),
      branch: text.optional().describe('Branch that the bundle is deployed from.'),
    })
    .optional()
    .describe('The repository of the bundle; found by itself where it is left out.'),
  uuid: text.optional().describe('Written by templates.'),
});

const Workspace = z.looseObject({
  host: text.optional().describe('Address of the server.'),
  profile: text.optional().describe('Profile of the client configuration.'),
  auth_type: text.optional().describe('How the client signs in.'),
  client_id: text.optional().describe('Id of the OAuth client.'),
  azure_client_id: text.optional(),
  azure_environment: text.optional(),
  azure_login_app_id: text.optional(),
  azure_tenant_id: text.optional(),
  azure_use_msi: z.boolean().optional(),
  azure_workspace_resource_id: text.optional(),
  google_service_account: text.optional(),
  root_path: text.optional().describe('Folder of the deployment in the workspace.'),
  file_path: text.optional().describe('Folder of the files; below root_path where it is left out.'),
  artifact_path: text.optional().describe('Folder of what was built; below root_path where it is left out.'),
  state_path: text.optional().describe('Folder of the state; below root_path where it is left out.'),
});

const Sync = z.looseObject({
  include: texts.optional().describe('Patterns of files to send although .gitignore names them.'),
  exclude: texts.optional().describe('Patterns of files that are not sent.'),
  paths: texts.optional().describe('Folders to send, also beside the folder of the bundle.'),
});

const Artifact = z.looseObject({
  type: text.optional().describe('whl, jar, or a word of your own for a custom build.'),
  build: text.optional().describe('Command that builds it.'),
  path: text.optional().describe('Folder in which it is built.'),
  files: z
    .array(z.looseObject({ source: text.describe('File or pattern of what the build leaves.') }))
    .optional()
    .describe('What the build leaves.'),
  executable: z.enum(['bash', 'sh', 'cmd']).optional().describe('Shell that runs the build.'),
  dynamic_version: z.boolean().optional().describe('Whether each build of a wheel is a version of its own.'),
});

const Presets = z.looseObject({
  name_prefix: text.optional().describe('Put before the name of every resource.'),
  pipelines_development: z.boolean().optional().describe('Whether pipelines are in development.'),
  trigger_pause_status: z
    .enum(['PAUSED', 'UNPAUSED'])
    .optional()
    .describe('Of every schedule and trigger that does not say itself.'),
  jobs_max_concurrent_runs: z.int().min(0).optional().describe('Of every job that does not say itself.'),
  tags: z.record(z.string(), z.string()).optional().describe('Tags of every job.'),
  source_linked_deployment: z
    .boolean()
    .optional()
    .describe('Whether resources refer to the source folder in the workspace.'),
});

export const VariableDeclaration = z.looseObject({
  description: text.optional().describe('What it is for.'),
  default: z.unknown().optional().describe('Its value where nothing else gives one.'),
  type: z.enum(['complex']).optional().describe('complex: a mapping or a list.'),
  lookup: z.record(z.string(), z.string()).optional().describe('Finds the id of an object by its name.'),
});

const Script = z.looseObject({ content: text.describe('What the shell runs.') });

/** Sections that a target may lay over those of the bundle. */
const overridable = {
  run_as: RunAs.optional().describe('As whom jobs run that do not say themselves.'),
  sync: Sync.optional().describe('Which files are sent.'),
  artifacts: z
    .record(z.string(), Artifact)
    .optional()
    .describe('What is built before a deployment, by name.'),
  workspace: Workspace.optional().describe('The server, and the folders in its workspace.'),
  resources: Resources.optional().describe('What is deployed, by kind and key.'),
  permissions: z.array(Permission).optional().describe('Who may do what with all resources.'),
  presets: Presets.optional().describe('What holds for all resources.'),
  scripts: z.record(z.string(), Script).optional().describe('Commands for `bundle run`, by name.'),
};

const Target = z.looseObject({
  default: z.boolean().optional().describe('Whether it is meant where no target is named.'),
  mode: z.enum(['development', 'production']).optional().describe('What kind of deployment it is.'),
  git: Bundle.shape.git,
  cluster_id: text.optional().describe('A cluster that replaces all others in mode development.'),
  compute_id: text.optional().describe('Old name of cluster_id.'),
  bundle: Bundle.partial().optional().describe('What differs from the section bundle.'),
  variables: z.record(z.string(), z.unknown()).optional().describe('Values of variables.'),
  ...overridable,
});

export const BundleFile = z.looseObject({
  bundle: Bundle.optional().describe('The bundle itself.'),
  include: texts.optional().describe('Further files, or patterns of files, of the configuration.'),
  variables: z
    .record(z.string(), VariableDeclaration.nullable())
    .optional()
    .describe('Variables, read as var.name in a reference.'),
  targets: z.record(z.string(), Target.nullable()).optional().describe('Places to deploy to, by name.'),
  experimental: z.unknown().optional().describe('Kept; Headrace does not look at it.'),
  ...overridable,
});
