// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
/** Bundles deployed to a real server: to the end, broken off anywhere, and back to an earlier version. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@headrace/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareBundle } from '../../../packages/bundle/src/artifacts/prepare-bundle.ts';
import type { BundleClient } from '../../../packages/bundle/src/deploy/bundle-client.ts';
import { deployBundle } from '../../../packages/bundle/src/deploy/deploy-bundle.ts';
import { destroyBundle } from '../../../packages/bundle/src/deploy/destroy-bundle.ts';
import { readDeployment } from '../../../packages/bundle/src/deploy/read-deployment.ts';
import { planRollback, rollbackBundle } from '../../../packages/bundle/src/deploy/rollback-bundle.ts';
import { planBundle } from '../../../packages/bundle/src/plan/plan-bundle.ts';
import {
  aBundleFolder,
  type BundleFolder,
  resolve,
} from '../../../packages/bundle/src/testing/bundle-folder.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let client: Client;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
  ({ client } = server);
});
afterAll(() => server.dispose());

const TEXT = `bundle: {name: shop}
resources:
  queries:
    sales: {display_name: sales, query_text: select 1, parent_path: /Workspace/Shared}
  jobs:
    second: {name: second, tasks: [{task_key: only, spark_python_task: {python_file: ./src/plain.py}}]}
    after:
      name: after
      tasks:
        - {task_key: start, run_job_task: {job_id: "\${resources.jobs.second.id}"}}
        - task_key: ask
          sql_task: {warehouse_id: none, query: {query_id: "\${resources.queries.sales.id}"}}
`;
const FILES = { 'databricks.yml': TEXT, 'src/plain.py': 'print(1)\n' };
const facts = { facts: { host: 'http://127.0.0.1', userName: 'admin' } };

async function plan(folder: BundleFolder) {
  const { bundle, findings } = await resolve(folder, facts);
  expect(findings.filter((finding) => finding.startsWith('error'))).toEqual([]);
  const deployed = await readDeployment(bundle, client);
  const prepared = await prepareBundle(bundle, deployed.state, { python: 'python3' });
  return planBundle(prepared, deployed);
}

async function deploy(folder: BundleFolder, through: BundleClient = client) {
  return deployBundle(await plan(folder), through, { forceLock: true });
}

async function destroy(folder: BundleFolder) {
  const { bundle } = await resolve(folder, facts);
  return destroyBundle(bundle, await readDeployment(bundle, client), client, { forceLock: true });
}

/** What stands on the server, whoever made it. */
async function look() {
  const { jobs = [] } = await client.jobsList({ expand_tasks: true });
  const { results } = await client.queriesList({ page_size: 100 });
  const { bundle } = await client
    .workspaceExport({
      path: '/Users/admin/.bundle/shop/default/files/databricks.yml',
      format: 'AUTO',
    })
    .then(
      () => ({ bundle: true }),
      () => ({ bundle: false }),
    );
  return {
    jobs: jobs.map(({ settings }) => settings.name).sort(),
    queries: results
      .filter(({ lifecycle_state: state }) => state !== 'TRASHED')
      .map((query) => query.query_text),
    bundle,
  };
}

test('a deployment is what the next plan finds, and an earlier version comes back whole', async () => {
  await using folder = await aBundleFolder(FILES);
  const first = await deploy(folder);
  expect((await plan(folder)).hasChanges).toBe(false);
  const second = TEXT.replace('select 1', 'select 2').replace('name: second,', 'name: other,');
  await folder.write({ 'databricks.yml': second, 'src/plain.py': 'print(2)\n' });
  await deploy(folder);
  expect(await look()).toMatchObject({ jobs: ['after', 'other'], queries: ['select 2'] });

  const { bundle } = await resolve(folder, facts);
  const back = await rollbackBundle(await planRollback(bundle, client, first?.version), client);

  expect(back.version).toBe((first?.version ?? 0) + 2);
  expect(await look()).toMatchObject({ jobs: ['after', 'second'], queries: ['select 1'] });
  await folder.write(FILES);
  expect((await plan(folder)).hasChanges).toBe(false);
  expect((await destroy(folder)).resources.map(({ resource }) => resource)).toEqual([
    'jobs.after',
    'jobs.second',
    'queries.sales',
  ]);
  expect(await look()).toEqual({ jobs: [], queries: [], bundle: false });
});

test('a job that was deleted since is made again by a rollback, and others know its new id', async () => {
  await using folder = await aBundleFolder(FILES);
  const first = await deploy(folder);
  await folder.write({ 'databricks.yml': TEXT.split('    second:')[0]?.replace('  jobs:\n', '') ?? '' });
  await deploy(folder);
  expect(await look()).toMatchObject({ jobs: [] });
  const { bundle } = await resolve(folder, facts);

  await rollbackBundle(await planRollback(bundle, client, first?.version), client);

  expect(await look()).toMatchObject({ jobs: ['after', 'second'] });
  await folder.write(FILES);
  expect((await plan(folder)).hasChanges).toBe(false);
  await destroy(folder);
});

/** Breaks off at a call that changes something: it never arrives, or its answer is lost, and so is all that follows. */
function breakingClient(calls: number, side: 'before' | 'after') {
  const state = { left: calls, isBroken: false };
  const isChange = /Lock$|Put|Commit|Create|Update|Edit|Delete|Reset|Destroy|Unlock/;
  const through = new Proxy(client, {
    get(target, name: keyof Client & string) {
      const call = target[name] as (request: object) => Promise<unknown>;
      return async (request: object) => {
        if (state.isBroken) throw new Error('the deployment is over');
        if (!isChange.test(name) || state.left-- > 0) return call(request);
        state.isBroken = true;
        if (side === 'after') await call(request);
        throw new Error(`broken ${side} ${name}`);
      };
    },
  });
  return { through, state };
}

test.each(['before', 'after'] as const)(
  'wherever a deployment breaks off (%s a call), its like completes it and makes nothing twice',
  { timeout: 120_000 },
  async (side) => {
    await using folder = await aBundleFolder(FILES);
    let calls = 0;
    for (; ; calls += 1) {
      await folder.write(FILES);
      await deploy(folder);
      const less = TEXT.replace(/ {4}second:.*\n/, '').replace(/ {8}- \{task_key: start.*\n/, '');
      await folder.write({
        'databricks.yml': `${less.replace('sales: {display_name: sales', 'made: {display_name: made').replace('queries.sales', 'queries.made')}`,
      });
      const { through, state } = breakingClient(calls, side);

      await deploy(folder, through).catch(() => undefined);
      const left = await look();
      await deploy(folder);

      expect([['after'], ['after', 'second']], `broken ${side} call ${calls}`).toContainEqual(left.jobs);
      expect(await look()).toEqual({ jobs: ['after'], queries: ['select 1'], bundle: true });
      expect((await plan(folder)).hasChanges).toBe(false);
      if (!state.isBroken) break;
    }
    expect(calls).toBeGreaterThan(4);
    await destroy(folder);
  },
);

test('what an older program deployed is taken over', async () => {
  await using folder = await aBundleFolder(FILES);
  const root = '/Users/admin/.bundle/shop/default';
  const job = { name: 'second', tasks: [{ task_key: 'only', spark_python_task: { python_file: '/x.py' } }] };
  const { job_id: id } = await client.jobsCreate(job);
  const state = {
    ...{ version: 1, bundle: 'shop', target: 'default', artifacts: {}, uploads: [] },
    resources: { 'jobs.second': { id, name: 'second' } },
    files: { 'gone.py': { hash: 'x', remote_path: `/Workspace${root}/files/gone.py` } },
  };
  await client.workspaceMkdirs({ path: `${root}/state` });
  const content = Buffer.from(JSON.stringify(state)).toString('base64');
  await client.workspaceImport({ path: `${root}/state/deployment.json`, content, format: 'AUTO' });

  await deploy(folder);

  expect(await look()).toMatchObject({ jobs: ['after', 'second'] });
  expect((await client.jobsGet({ job_id: id })).settings.deployment).toMatchObject({ version: 1 });
  expect((await plan(folder)).hasChanges).toBe(false);
  await destroy(folder);
});

test('a lock is kept as long as the work takes, and given back', async () => {
  await using folder = await aBundleFolder(FILES);
  const planned = await plan(folder);
  const waiting = new Proxy(client, {
    get: (target, name: keyof Client) =>
      name !== 'bundlesCommit'
        ? target[name]
        : async (request: Parameters<Client['bundlesCommit']>[0]) => {
            await delay(50);
            await expect(deployBundle(planned, client)).rejects.toThrow('is locked by admin');
            return target.bundlesCommit(request);
          },
  });

  await deployBundle(planned, waiting, { command: 'bundle deploy' });

  const place = { state_path: '/Users/admin/.bundle/shop/default/state', target: 'default' };
  expect((await client.bundlesGet(place)).lock).toBeUndefined();
  await expect(deployBundle(planned, client)).rejects.toThrow('somebody has deployed bundle shop');
  await destroy(folder);
});

test('what somebody wrote into a job as its deployment breaks no later one', async () => {
  await using folder = await aBundleFolder(FILES);
  await deploy(folder);
  const { state } = await readDeployment((await resolve(folder, facts)).bundle, client);
  const job_id = Number(state.resources['jobs.second']?.id);
  const { settings } = await client.jobsGet({ job_id });
  const deployment = { kind: 'BUNDLE' as const, ...settings.deployment, deployment_id: 'another product’s' };
  await client.jobsReset({ job_id, new_settings: { ...settings, name: 'by hand', deployment } });
  await deploy(folder);
  expect((await client.jobsGet({ job_id })).settings.name).toBe('second');
  await destroy(folder);
});
