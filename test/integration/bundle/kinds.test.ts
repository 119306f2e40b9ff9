// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
/** What a bundle makes of each kind of resource is, on a real server, what its next plan finds. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareBundle } from '../../../packages/bundle/src/artifacts/prepare-bundle.ts';
import { applyAction } from '../../../packages/bundle/src/plan/apply-action.ts';
import { type DeploymentState, emptyState } from '../../../packages/bundle/src/plan/deployment-state.ts';
import { idsOf, type PlanOptions, planBundle } from '../../../packages/bundle/src/plan/plan-bundle.ts';
import type { Plan } from '../../../packages/bundle/src/plan/planned-action.ts';
import { readRemotes } from '../../../packages/bundle/src/plan/read-remotes.ts';
import { aBundleFolder, NOTEBOOK, resolve } from '../../../packages/bundle/src/testing/bundle-folder.ts';
import { nextState } from '../../../packages/bundle/src/testing/next-state.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { RICH } from './rich-bundle.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
});
afterAll(() => server.dispose());

async function planOf(yaml: string, state: DeploymentState | null, options: PlanOptions = {}): Promise<Plan> {
  await using folder = await aBundleFolder({ 'databricks.yml': yaml, 'load.py': NOTEBOOK });
  const { bundle, findings } = await resolve(folder);
  expect(findings.filter((finding) => finding.startsWith('error'))).toEqual([]);
  const known = state ?? emptyState(bundle);
  const remotes = await readRemotes(known, server.client);
  const prepared = await prepareBundle(bundle, known, { python: 'python3' });
  return planBundle(prepared, { state: known, exists: state !== null, remotes }, options);
}

async function apply(plan: Plan): Promise<DeploymentState> {
  const ids = new Map(idsOf(plan.state));
  for (const action of plan.actions) {
    const id = await applyAction(action, { plan, ids, client: server.client });
    if (id === null) ids.delete(action.resource);
    else ids.set(action.resource, id);
  }
  return nextState(plan, ids);
}

const changesOf = ({ actions }: Plan) =>
  actions
    .filter(({ action }) => action !== 'unchanged')
    .map(({ action, resource, differences }) => [action, resource, ...differences.map(({ path }) => path)]);

test('every kind is made once, changed in place where it can be, made anew where it cannot, and taken away', async () => {
  const first = await planOf(RICH, null);
  const made = await apply(first);

  expect(changesOf(first).map(([action, resource]) => `${action} ${resource}`)).toEqual([
    'create catalogs.lake',
    'create schemas.bronze',
    'create volumes.landing',
    'create secret_scopes.keys',
    'create instance_pools.pool',
    'create cluster_policies.small',
    'create cluster_policies.family',
    'create clusters.shared',
    'create clusters.governed',
    'create sql_warehouses.reports',
    'create queries.daily',
    'create alerts.late',
    'create jobs.load',
  ]);
  expect(changesOf(await planOf(RICH, made))).toEqual([]);
  const stored = JSON.parse(JSON.stringify(made)) as DeploymentState;
  expect(changesOf(await planOf(RICH, stored))).toEqual([]);

  // A deployment that made all and died before it recorded anything.
  const creating = Object.keys(made.resources);
  const lost = { ...made, resources: {}, creating };
  const found = await apply(await planOf(RICH, lost));
  expect(found.resources).toEqual(made.resources);

  const CHANGES: [string, string][] = [
    ['comment: raw data', 'comment: other data'],
    ['owner_team: data', 'owner_team: platform'],
    ['comment: files that arrive\n', '\n'],
    ['level: READ', 'level: WRITE'],
    ['min_idle_instances: 0', 'max_capacity: 4'],
    ['"spark.sql.shuffle.partitions": 8', '"spark.sql.shuffle.partitions": 9'],
    ['auto_stop_mins: 15', 'enable_photon: false'],
    ['double_value: 5', 'double_value: 6'],
    ['tags: [daily, gold]', 'tags: [gold, silver]'],
    ['timeout_seconds: 60', 'timeout_seconds: 90'],
    ['name: small clusters', 'name: smaller clusters'],
  ];
  const changed = CHANGES.reduce((text, [before, after]) => {
    expect(text).toContain(before);
    return text.replace(before, after);
  }, RICH);
  const second = await planOf(changed, made);
  expect(changesOf(second)).toEqual([
    ['update', 'catalogs.lake', 'properties.owner_team'],
    ['update', 'schemas.bronze', 'comment'],
    ['update', 'volumes.landing', 'comment'],
    ['update', 'secret_scopes.keys', 'permissions[users].permission'],
    ['update', 'instance_pools.pool', 'max_capacity'],
    ['update', 'cluster_policies.small', 'name'],
    ['update', 'clusters.shared', 'spark_conf.spark.sql.shuffle.partitions'],
    ['update', 'sql_warehouses.reports', 'auto_stop_mins'],
    ['update', 'queries.daily', 'tags[silver]', 'tags[daily]'],
    ['update', 'alerts.late', 'evaluation.threshold.value.double_value'],
    ['update', 'jobs.load', 'timeout_seconds'],
  ]);
  const updated = await apply(second);
  expect(changesOf(await planOf(changed, updated))).toEqual([]);

  const moved = changed
    .replace('schema_name: bronze\n      volume_type', 'schema_name: default\n      volume_type')
    .replace('      permissions:\n        - {group_name: users, level: WRITE}\n', '')
    .replace('pool\n      node_type_id: headrace.small', 'pool\n      node_type_id: headrace.large');
  const third = await planOf(moved, updated);
  expect(changesOf(third).map((change) => change.slice(0, 3))).toEqual([
    ['recreate', 'volumes.landing', 'schema_name'],
    ['update', 'secret_scopes.keys', 'permissions'],
    ['recreate', 'instance_pools.pool', 'node_type_id'],
    ['update', 'alerts.late', 'custom_summary'],
    ['update', 'jobs.load', 'job_clusters[main].new_cluster.instance_pool_id'],
  ]);
  const again = await apply(third);
  const { items = [] } = await server.client.secretAclsList({ scope: 'keys' });
  expect(items.map(({ principal }) => principal)).not.toContain('users');
  expect(changesOf(await planOf(moved, again))).toEqual([]);

  const renamed = moved
    .replace('name: Lake', 'name: Sea')
    .replaceAll(/(catalog|catalog_name): lake/g, '$1: sea');
  const fourth = await planOf(renamed, again);
  expect(changesOf(fourth)).toEqual([
    ['update', 'catalogs.lake', 'name'],
    ['update', 'queries.daily', 'catalog'],
    ['update', 'alerts.late', 'custom_summary'],
  ]);
  const elsewhere = await apply(fourth);
  expect(changesOf(await planOf(renamed, elsewhere))).toEqual([]);

  const last = await planOf('bundle: {name: rich}\n', elsewhere);
  expect(changesOf(last).map(([action, resource]) => `${action} ${resource}`)).toEqual([
    'delete jobs.load',
    'delete alerts.late',
    'delete queries.daily',
    'delete sql_warehouses.reports',
    'delete clusters.governed',
    'delete clusters.shared',
    'delete cluster_policies.family',
    'delete cluster_policies.small',
    'delete instance_pools.pool',
    'delete secret_scopes.keys',
    'delete volumes.landing',
    'delete schemas.bronze',
    'delete catalogs.lake',
  ]);
  const none = await apply(last);
  expect(none.resources).toEqual({});
  expect(await readRemotes(elsewhere, server.client)).toEqual(new Map());
});
