/** Every route of these groups has a command that calls it: a new one cannot be forgotten. */
import { ApiError, type RouteName, routes } from '@headrace/api';
import { afterEach, expect, test } from 'vitest';
import { callCli } from '../testing/call-cli.ts';
import { type StubServer, startStubServer } from '../testing/stub-server.ts';

let server: StubServer | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

const groups =
  /^(alerts|alertEvents|textAlerts|clusters|clusterPolicies|policyFamilies|instancePools|queries|libraries|repos|gitCredentials|secret|volumes|warehouse|queryHistory|droppedTables)/;
const document = ['--json', '{"a": 1}'];

const alert = {
  ...{ display_name: 'a', parent_path: '/a', owner_user_name: 'ann' },
  ...{ create_time: '2026-01-01T00:00:00Z', update_time: '2026-01-01T00:00:00Z' },
};
const evaluation = { source: { name: 'n' }, comparison_operator: 'IS_NULL' as const };

const commands: Readonly<Partial<Record<RouteName, readonly string[]>>> = {
  clustersCreate: ['clusters', 'create', ...document],
  clustersEdit: ['clusters', 'edit', 'c', '--json', '{"cluster_name": "a", "spark_version": "x"}', '--yes'],
  clustersUpdate: ['clusters', 'update', 'c', '--json', '{"autotermination_minutes": 30}', '--yes'],
  clustersStart: ['clusters', 'start', 'c'],
  clustersRestart: ['clusters', 'restart', 'c', '--yes'],
  clustersDelete: ['clusters', 'delete', 'c', '--yes'],
  clustersPermanentDelete: ['clusters', 'permanent-delete', 'c', '--auto-approve'],
  clustersPin: ['clusters', 'pin', 'c'],
  clustersUnpin: ['clusters', 'unpin', 'c'],
  clustersResize: ['clusters', 'resize', 'c', '--workers', '2'],
  clustersChangeOwner: ['clusters', 'change-owner', 'c', 'ada'],
  clustersEvents: ['clusters', 'events', 'c'],
  clustersGet: ['clusters', 'get', 'c'],
  clustersList: ['clusters', 'list'],
  clustersListNodeTypes: ['clusters', 'list-node-types'],
  clustersSparkVersions: ['clusters', 'spark-versions'],
  clustersListZones: ['clusters', 'list-zones'],
  clusterPoliciesCreate: ['cluster-policies', 'create', '--json', '{"name": "p"}'],
  clusterPoliciesEdit: ['cluster-policies', 'edit', 'p', '--json', '{"name": "p"}'],
  clusterPoliciesDelete: ['cluster-policies', 'delete', 'p', '--auto-approve'],
  clusterPoliciesGet: ['cluster-policies', 'get', 'p'],
  clusterPoliciesList: ['cluster-policies', 'list'],
  policyFamiliesGet: ['cluster-policies', 'get-family', 'f'],
  policyFamiliesList: ['cluster-policies', 'families'],
  instancePoolsCreate: ['instance-pools', 'create', ...document],
  instancePoolsEdit: ['instance-pools', 'edit', 'p', ...document],
  instancePoolsDelete: ['instance-pools', 'delete', 'p', '--auto-approve'],
  instancePoolsGet: ['instance-pools', 'get', 'p'],
  instancePoolsList: ['instance-pools', 'list'],
  alertsCreate: ['alerts', 'create', '--json', '{"query_id": "q"}'],
  alertsList: ['alerts', 'list'],
  alertsGet: ['alerts', 'get', 'of-query'],
  alertsUpdate: ['alerts', 'update', 'of-query', ...document],
  alertsDelete: ['alerts', 'delete', 'of-query', '--auto-approve'],
  textAlertsCreate: ['alerts', 'create', '--json', '{"query_text": "select 1"}'],
  textAlertsList: ['alerts', 'list'],
  textAlertsGet: ['alerts', 'get', 'own'],
  textAlertsUpdate: ['alerts', 'update', 'own', ...document],
  textAlertsTrash: ['alerts', 'delete', 'own', '--auto-approve'],
  alertEventsList: ['alerts', 'events', 'own'],
  queriesCreate: ['queries', 'create', 'daily', '--query', 'select 1'],
  queriesList: ['queries', 'list'],
  queriesGet: ['queries', 'get', 'q'],
  queriesUpdate: ['queries', 'update', 'q', '--name', 'x'],
  queriesDelete: ['queries', 'delete', 'q', '--auto-approve'],
  warehousesCreate: ['warehouses', 'create', '--json', '{"name": "w"}'],
  warehousesEdit: ['warehouses', 'edit', 'w', '--json', '{"auto_stop_mins": 5}'],
  warehousesGet: ['warehouses', 'get', 'w'],
  warehousesList: ['warehouses', 'list'],
  warehousesDelete: ['warehouses', 'delete', 'w', '--auto-approve'],
  warehousesStart: ['warehouses', 'start', 'w', '--no-wait'],
  warehousesStop: ['warehouses', 'stop', 'w', '--no-wait'],
  warehouseConfigGet: ['warehouses', 'config'],
  queryHistoryList: ['warehouses', 'history'],
  librariesInstall: ['libraries', 'install', 'c', '--pypi', 'polars'],
  librariesUninstall: ['libraries', 'uninstall', 'c', '--pypi', 'polars'],
  librariesClusterStatus: ['libraries', 'cluster-status', 'c'],
  librariesAllClusterStatuses: ['libraries', 'all-cluster-statuses'],
  reposCreate: ['repos', 'create', 'https://github.com/a/b', 'gitHub'],
  reposGet: ['repos', 'get', '1'],
  reposList: ['repos', 'list'],
  reposUpdate: ['repos', 'update', '1', '--branch', 'main'],
  reposDelete: ['repos', 'delete', '1', '--auto-approve'],
  gitCredentialsCreate: ['git-credentials', 'create', 'gitHub'],
  gitCredentialsGet: ['git-credentials', 'get', '1'],
  gitCredentialsList: ['git-credentials', 'list'],
  gitCredentialsUpdate: ['git-credentials', 'update', '1', '--name', 'x'],
  gitCredentialsDelete: ['git-credentials', 'delete', '1'],
  volumesCreate: ['volumes', 'create', 'a.b.c'],
  volumesGet: ['volumes', 'get', 'a.b.c'],
  volumesList: ['volumes', 'list', 'a.b'],
  volumesUpdate: ['volumes', 'update', 'a.b.c', '--comment', 'x'],
  volumesDelete: ['volumes', 'delete', 'a.b.c', '--auto-approve'],
  droppedTablesList: ['tables', 'list-dropped'],
  droppedTablesUndrop: ['tables', 'undrop', 'a.b.c'],
  secretScopesCreate: ['secrets', 'create-scope', 's'],
  secretScopesList: ['secrets', 'list-scopes'],
  secretScopesDelete: ['secrets', 'delete-scope', 's', '--auto-approve'],
  secretsPut: ['secrets', 'put-secret', 's', 'k'],
  secretsGet: ['secrets', 'get-secret', 's', 'k'],
  secretsList: ['secrets', 'list-secrets', 's'],
  secretsDelete: ['secrets', 'delete-secret', 's', 'k'],
  secretAclsPut: ['secrets', 'put-acl', 's', 'users', 'READ'],
  secretAclsGet: ['secrets', 'get-acl', 's', 'users'],
  secretAclsList: ['secrets', 'list-acls', 's'],
  secretAclsDelete: ['secrets', 'delete-acl', 's', 'users'],
  secretKeyGet: ['secrets', 'rotate-key', '--status'],
  secretKeyRotate: ['secrets', 'rotate-key', '--no-wait'],
};

test.each((Object.keys(routes) as RouteName[]).filter((name) => groups.test(name)))(
  'a command calls %s',
  async (name) => {
    const args = commands[name];
    expect(args, `which command calls ${name}?`).toBeDefined();
    server = await startStubServer({
      // What commands ask for first; the one that is meant is refused, and was called.
      clustersList: async () => ({ clusters: [] }),
      warehousesList: async () => ({ warehouses: [] }),
      textAlertsList: async () => ({ alerts: [] }),
      textAlertsGet: async ({ id }) => {
        if (id === 'of-query') throw new ApiError('RESOURCE_DOES_NOT_EXIST', 'it has the other form');
        return { ...alert, id, lifecycle_state: 'ACTIVE', evaluation: { ...evaluation, state: 'OK' } };
      },
      alertsGet: async ({ id }) => ({ ...alert, id, lifecycle_state: 'ACTIVE', state: 'OK' }),
      reposGet: async () => ({
        id: 1,
        path: '/Repos/a/b',
        url: 'https://github.com/a/b',
        provider: 'gitHub',
      }),
      volumesGet: async ({ name }) => ({
        ...{ name, catalog_name: 'a', schema_name: 'b', full_name: name, volume_id: 'v' },
        ...{ volume_type: 'MANAGED', storage_location: '/x' },
      }),
      secretKeyGet: async () => ({ state: 'SETTLED', file: '/k', values: 0, values_left: 0, retiring: [] }),
    });
    const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' };

    const called = await callCli(args ?? [], { environment });

    const { method, path } = routes[name];
    const asked = new RegExp(`^${method} ${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
    expect(server.calls, called.stderr).toContainEqual(expect.stringMatching(asked));
  },
);
