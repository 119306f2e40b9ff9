// The examples of the repository, and a bundle of the shapes that real teams write, resolve without a finding.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import path from 'node:path';
import { expect, test } from 'vitest';
import { aBundleFolder, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import { orderJobs } from '../validate/validate-bundle.ts';

test('the flights example resolves for each target', async () => {
  const folder = path.resolve(import.meta.dirname, '../../../../examples/flights');

  const dev = await resolve({ folder });
  const prod = await resolve({ folder }, { target: 'prod' });

  expect([...dev.findings, ...prod.findings]).toEqual([]);
  expect(dev.bundle.jobs.map((job) => job.settings.name)).toEqual(['[dev jane_doe] flights_daily']);
  expect(prod.bundle.jobs[0]?.settings.parameters).toContainEqual({ name: 'catalog', default: 'main' });
});

test('the control-flow example resolves with one finding, and its second job is made first', async () => {
  const folder = path.resolve(import.meta.dirname, '../../../../examples/control-flow');

  const { bundle, findings } = await resolve({ folder });

  expect(findings).toEqual([
    expect.stringMatching(
      /^warning: resources\/bakery_night\.yml:\d+:\d+: task 'ice_cakes' has a condition_task beside its spark_python_task: /,
    ),
  ]);
  expect(orderJobs(bundle.jobs).map((job) => job.key)).toEqual(['delivery', 'bakery_night']);
});

const MANY_FEATURES = `bundle: {name: retail}
include: [resources/*/*.yml]
variables:
  catalog: {default: dev}
  warehouse_id: {description: no default}
  scheduled: {default: false}
targets:
  dev:
    mode: development
    default: true
    variables: {warehouse_id: wh-1}
    resources: {jobs: {orders: {schedule: {pause_status: PAUSED}, max_concurrent_runs: 5}}}
  prod:
    mode: production
    workspace: {root_path: "/Workspace/Shared/\${bundle.name}/\${bundle.target}"}
    variables: {warehouse_id: wh-2, scheduled: true}
    resources:
      jobs:
        orders:
          job_clusters: [{job_cluster_key: etl, new_cluster: {autoscale: {min_workers: 5, max_workers: 20}}}]
`;
const ORDERS = `resources:
  jobs:
    orders:
      name: orders-\${bundle.target}
      tags: {scheduled: "\${var.scheduled}"}
      job_clusters:
        - job_cluster_key: etl
          new_cluster: {spark_version: 13.3.x-scala2.12, node_type_id: i3.xlarge, autoscale: {min_workers: 2, max_workers: 8}, spark_conf: {a.b: "true"}}
      tasks:
        - task_key: land
          job_cluster_key: etl
          max_retries: 1
          notebook_task: {notebook_path: ../../src/land.py, base_parameters: {dir: "\${workspace.file_path}/x"}}
        - task_key: good
          depends_on: [{task_key: land}]
          condition_task: {op: EQUAL_TO, left: "{{tasks.land.values.q}}", right: GOOD}
        - task_key: each
          depends_on: [{task_key: good, outcome: "true"}]
          for_each_task: {inputs: '["a"]', concurrency: 2, task: {task_key: one, job_cluster_key: etl, notebook_task: {notebook_path: ../../src/land.py}}}
        - task_key: report
          depends_on: [{task_key: each}]
          sql_task: {query: {query_id: "\${resources.queries.report.id}"}, warehouse_id: "\${var.warehouse_id}"}
      schedule: {quartz_cron_expression: 0 30 2 * * ?, timezone_id: UTC, pause_status: UNPAUSED}
      email_notifications: {on_start: [], on_failure: [a@example.com]}
`;
const QUERY = 'resources:\n  queries:\n    report: {display_name: r, query_text: SELECT 1}\n';

test('a bundle of many files and features resolves for each target', async () => {
  await using folder = await aBundleFolder({
    'databricks.yml': MANY_FEATURES,
    'resources/jobs/orders.yml': ORDERS,
    'resources/queries/report.yml': QUERY,
    'src/land.py': NOTEBOOK,
  });

  const dev = await resolve(folder);
  const prod = await resolve(folder, { target: 'prod' });

  expect([...dev.findings, ...prod.findings]).toEqual([]);
  expect(dev.bundle.resources.map(({ kind, key }) => `${kind}.${key}`)).toEqual([
    'jobs.orders',
    'queries.report',
  ]);
  expect(dev.bundle.jobs[0]?.settings).toMatchObject({
    name: '[dev jane_doe] orders-dev',
    tags: { scheduled: 'false', dev: 'jane_doe' },
    schedule: { pause_status: 'PAUSED' },
    max_concurrent_runs: 5,
  });
  expect(prod.bundle.jobs[0]?.settings).toMatchObject({
    name: 'orders-prod',
    tags: { scheduled: 'true' },
    schedule: { pause_status: 'UNPAUSED' },
    job_clusters: [
      { new_cluster: { autoscale: { min_workers: 5, max_workers: 20 }, spark_conf: { 'a.b': 'true' } } },
    ],
  });
});
