import { expect, test } from 'vitest';
import { prepareBundle } from '../artifacts/prepare-bundle.ts';
import { planBundle } from '../plan/plan-bundle.ts';
import { aBundleFolder, jobYaml, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import { aFakeWorkspace } from '../testing/fake-workspace.ts';
import { deployBundle } from './deploy-bundle.ts';
import { findDeployment, readDeployment } from './read-deployment.ts';
import { summarizeBundle } from './summarize-bundle.ts';

const SECOND = `    second: {name: second, tasks: [{task_key: a, notebook_task: {notebook_path: ./load.py}}]}\n`;
const OTHERS = `  schemas:\n    bronze: {name: bronze, catalog_name: lake}\n  apps:\n    shop: {}\n`;

test('each resource has its state, and what is there its id and page', async () => {
  await using folder = await aBundleFolder({ 'databricks.yml': jobYaml() + SECOND, 'load.py': NOTEBOOK });
  const { client, jobs } = aFakeWorkspace();
  const summarize = async () => {
    const { bundle } = await resolve(folder);
    const deployed = await readDeployment(bundle, client);
    return summarizeBundle(bundle, deployed, await findDeployment(bundle, client));
  };
  const before = await summarize();
  const { bundle } = await resolve(folder);
  const deployed = await readDeployment(bundle, client);
  const prepared = await prepareBundle(bundle, deployed.state, { python: 'python3' });
  await deployBundle(planBundle(prepared, deployed), client);
  const after = await summarize();
  await folder.write({ 'databricks.yml': jobYaml() + OTHERS });
  jobs.delete(Number(after.resources[0]?.id));
  const later = await summarize();

  const told = ({ resources }: typeof before) =>
    resources.map(({ resource, name, url, state }) => [resource, name, url, state]);
  expect(told(before)).toEqual([
    ['jobs.daily', 'daily', null, 'not deployed'],
    ['jobs.second', 'second', null, 'not deployed'],
  ]);
  expect(before).toMatchObject({ version: null, lock: null, synced_files: 0 });
  expect(told(after)).toEqual([
    ['jobs.daily', 'daily', 'http://127.0.0.1:8080/jobs/1001', 'deployed'],
    ['jobs.second', 'second', 'http://127.0.0.1:8080/jobs/1002', 'deployed'],
  ]);
  expect(after.version).toMatchObject({ version: 1, created_by: 'jane' });
  expect(told(later)).toEqual([
    ['jobs.daily', 'daily', null, 'gone'],
    ['schemas.bronze', 'lake.bronze', null, 'not deployed'],
    ['jobs.second', 'second', 'http://127.0.0.1:8080/jobs/1002', 'to be deleted'],
  ]);
  expect(later.unsupported).toEqual(['apps.shop']);
});
