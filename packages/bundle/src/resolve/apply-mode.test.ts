// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { aBundleFolder, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import type { ResolveInputs } from './resolve-bundle.ts';

async function bundleOf(yaml: string, inputs: Partial<ResolveInputs> = {}) {
  await using folder = await aBundleFolder({
    'databricks.yml': `bundle: {name: shop}\n${yaml}`,
    'load.py': NOTEBOOK,
  });
  const { bundle, findings } = await resolve(folder, inputs);
  const named = bundle.resources.map(({ kind, key, settings }) => [`${kind}.${key}`, settings] as const);
  return { bundle, findings, settings: Object.fromEntries(named) };
}

const TASK = 'tasks: [{task_key: a, notebook_task: {notebook_path: ./load.py}}]';
const ALL_KINDS = `resources:
  jobs: {daily: {${TASK}, tags: {dev: mine}}}
  clusters: {small: {cluster_name: small, spark_version: x}}
  queries: {report: {display_name: report, query_text: SELECT 1}}
  catalogs: {own: {name: own}}
  schemas:
    raw: {name: raw, catalog_name: main}
    inner: {name: inner, catalog_name: "\${resources.catalogs.own.name}"}
  volumes:
    outside: {name: landing, schema_name: raw, catalog_name: main}
    inside: {name: landing, schema_name: "\${resources.schemas.raw.name}", catalog_name: main}
  secret_scopes: {partner: {name: partner}}
targets: {dev: {mode: development}}
`;

test('in development every kind is marked where its name allows, once', async () => {
  const { settings } = await bundleOf(ALL_KINDS);

  expect(settings).toMatchObject({
    'jobs.daily': { name: '[dev jane_doe] daily', tags: { dev: 'mine' } },
    'clusters.small': { cluster_name: '[dev jane_doe] small', custom_tags: { dev: 'jane_doe' } },
    'queries.report': { display_name: '[dev jane_doe] report' },
    'catalogs.own': { name: 'dev_jane_doe_own' },
    'schemas.raw': { name: 'dev_jane_doe_raw' },
    'schemas.inner': { name: 'inner', catalog_name: 'dev_jane_doe_own' },
    'volumes.outside': { name: 'dev_jane_doe_landing' },
    'volumes.inside': { name: 'landing', schema_name: 'dev_jane_doe_raw' },
    'secret_scopes.partner': { name: 'dev_jane_doe_partner' },
  });
});

test('a prefix of its own may hold references, and is written as a word where names are words', async () => {
  const { settings } = await bundleOf(
    ALL_KINDS.replace('development}', 'development, presets: {name_prefix: "${bundle.target}-x: "}}'),
  );

  expect(settings).toMatchObject({
    'jobs.daily': { name: 'dev-x: daily' },
    'schemas.raw': { name: 'dev_x_raw' },
  });
});

test('presets hold without a mode, and what a resource says itself is stronger', async () => {
  const schedule = 'schedule: {quartz_cron_expression: "0 0 2 * * ?", timezone_id: UTC';

  const { settings, bundle, findings } = await bundleOf(`resources:
  jobs:
    a: {${TASK}, ${schedule}}}
    b: {${TASK}, ${schedule}, pause_status: UNPAUSED}, max_concurrent_runs: 1, tags: {team: red}}
  pipelines: {p: {name: p, libraries: []}}
presets: {trigger_pause_status: PAUSED, jobs_max_concurrent_runs: 7, tags: {team: blue}, pipelines_development: true}
`);

  expect(findings).toEqual([expect.stringContaining('pipelines are not supported here')]);
  expect(settings).toMatchObject({
    'jobs.a': { schedule: { pause_status: 'PAUSED' }, max_concurrent_runs: 7, tags: { team: 'blue' } },
    'jobs.b': { schedule: { pause_status: 'UNPAUSED' }, max_concurrent_runs: 1, tags: { team: 'red' } },
  });
  expect(JSON.stringify([...bundle.root.entries.keys()])).toContain('presets');
});

test('a continuous job is paused in development and keeps to one run at a time', async () => {
  const { settings } = await bundleOf(
    `resources: {jobs: {a: {${TASK}, continuous: {}}}}\ntargets: {dev: {mode: development}}\n`,
  );

  expect(settings['jobs.a']).toMatchObject({ continuous: { pause_status: 'PAUSED' } });
  expect(settings['jobs.a']).not.toHaveProperty('max_concurrent_runs');
});

test.each([
  ['trigger_pause_status: STOPPED', /presets\.trigger_pause_status.*PAUSED or UNPAUSED/],
  ['jobs_max_concurrent_runs: 0', /presets\.jobs_max_concurrent_runs.*a whole number from 1 on/],
])('presets: {%s} is refused', async (preset, message) => {
  const { findings } = await bundleOf(`resources: {jobs: {a: {${TASK}}}}\npresets: {${preset}}\n`);

  expect(findings.join()).toMatch(message);
});

test.each([
  ['targets: {dev: {mode: development}}', false],
  ['targets: {dev: {mode: development, bundle: {deployment: {lock: {enabled: true}}}}}', true],
  ['targets: {prod: {}}', true],
  ['targets: {prod: {bundle: {deployment: {lock: {enabled: false}}}}}', false],
])('%s: the lock is %s', async (yaml, expected) => {
  const { bundle } = await bundleOf(`${yaml}\n`);

  expect(bundle.deployment.lockEnabled).toBe(expected);
});

const CLUSTERS = `resources:
  jobs:
    daily:
      job_clusters: [{job_cluster_key: main, new_cluster: {spark_version: x, num_workers: 1}}]
      environments: [{environment_key: e, spec: {environment_version: "2"}}]
      tasks:
        - {task_key: a, job_cluster_key: main, notebook_task: {notebook_path: ./load.py}}
        - {task_key: b, new_cluster: {spark_version: x, num_workers: 1}, notebook_task: {notebook_path: ./load.py}}
        - {task_key: c, environment_key: e, notebook_task: {notebook_path: ./load.py}}
        - {task_key: d, for_each_task: {inputs: "[1]", task: {task_key: e, existing_cluster_id: old, notebook_task: {notebook_path: ./load.py}}}}
`;

test.each<[string, string, Partial<ResolveInputs>]>([
  ['--cluster-id', 'targets: {dev: {mode: development, cluster_id: other}}', { clusterId: '0101-1' }],
  [
    'the target',
    'targets: {dev: {mode: development, cluster_id: "0101-${var.n}"}}\nvariables: {n: {default: 1}}',
    {},
  ],
  ['the bundle', 'targets: {dev: {mode: development, bundle: {compute_id: 0101-1}}}', {}],
])('in development the cluster of %s takes the place of all others', async (_, yaml, inputs) => {
  const { settings, findings } = await bundleOf(`${CLUSTERS}${yaml}\n`, inputs);

  expect(findings).toEqual([]);
  const job = settings['jobs.daily'];
  expect(job).not.toHaveProperty('job_clusters');
  expect(job?.tasks).toEqual([
    expect.objectContaining({ task_key: 'a', existing_cluster_id: '0101-1' }),
    expect.objectContaining({ task_key: 'b', existing_cluster_id: '0101-1' }),
    expect.not.objectContaining({ existing_cluster_id: expect.anything() }),
    expect.objectContaining({
      for_each_task: expect.objectContaining({
        task: expect.objectContaining({ existing_cluster_id: '0101-1' }),
      }),
    }),
  ]);
  expect(JSON.stringify(job)).not.toMatch(/new_cluster|job_cluster_key|old/);
});

test('a cluster in the place of others is refused in production, and a warning without a mode', async () => {
  const production = await bundleOf(
    `${CLUSTERS}targets: {prod: {mode: production, workspace: {root_path: /Shared/x}}}\n`,
    {
      clusterId: '0101-1',
    },
  );
  const plain = await bundleOf(CLUSTERS, { clusterId: '0101-1' });

  expect(production.findings).toEqual([
    expect.stringMatching(/^error: --cluster-id:1:1: .*production keeps its clusters/),
  ]);
  expect(JSON.stringify(production.settings)).toContain('job_cluster_key');
  expect(plain.findings).toEqual([expect.stringMatching(/^warning: --cluster-id:1:1: /)]);
});

test('run_as and permissions of the bundle hold for what says nothing of its own', async () => {
  const { bundle, settings, findings } = await bundleOf(`run_as: {user_name: robot@example.com}
permissions:
  - {level: CAN_RUN, group_name: data}
  - {level: CAN_MANAGE, user_name: lead@example.com}
resources:
  jobs:
    a: {${TASK}}
    b: {${TASK}, run_as: {user_name: other@example.com}, permissions: [{level: CAN_VIEW, group_name: data}]}
  sql_warehouses: {w: {name: w, cluster_size: Small}}
  schemas: {s: {name: s, catalog_name: main}}
`);

  expect(findings.filter((finding) => finding.startsWith('error'))).toEqual([]);
  expect(settings['jobs.a']?.run_as).toEqual({ user_name: 'robot@example.com' });
  expect(settings['jobs.b']?.run_as).toEqual({ user_name: 'other@example.com' });
  const levels = bundle.resources.map(({ key, permissions }) => [
    key,
    permissions.map(({ level, principal }) => `${level} ${principal.name}`),
  ]);
  expect(Object.fromEntries(levels)).toEqual({
    a: ['CAN_MANAGE_RUN data', 'CAN_MANAGE lead@example.com'],
    b: ['CAN_VIEW data', 'CAN_MANAGE lead@example.com'],
    w: ['CAN_USE data', 'CAN_MANAGE lead@example.com'],
    s: [],
  });
  expect(settings['jobs.b']).not.toHaveProperty('permissions');
});

test('the branch of a production target: not asked with force, a warning when nobody can tell', async () => {
  const yaml = `resources: {jobs: {a: {${TASK}}}}\ntargets: {prod: {mode: production, git: {branch: main}, workspace: {root_path: /Shared/x}}}\n`;
  const git = { branch: 'topic', commit: 'abc', originUrl: null };

  const forced = await bundleOf(yaml, { git, force: true });
  const detached = await bundleOf(yaml, { git: { ...git, branch: null } });

  expect(forced.findings).toEqual([]);
  expect(detached.findings).toEqual([
    expect.stringMatching(/^warning: .*which cannot be checked: the folder is at a commit/),
  ]);
});
