// The texts of bundles hold references that look like template strings.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: see above
import { expect, test } from 'vitest';
import { aBundleFolder, findingsOf, jobYaml, NOTEBOOK, resolve } from '../testing/bundle-folder.ts';
import type { ResolveInputs } from './resolve-bundle.ts';

async function settingsOf(
  yaml: string,
  inputs: Partial<ResolveInputs> = {},
  files: Record<string, string> = {},
) {
  await using folder = await aBundleFolder({ 'databricks.yml': yaml, 'load.py': NOTEBOOK, ...files });
  const { bundle, findings } = await resolve(folder, inputs);
  return { settings: bundle.jobs[0]?.settings ?? {}, findings, bundle };
}

const VARIABLES = `${jobYaml('description: ${var.size}')}variables: {size: {default: small}}
targets:
  dev: {default: true, variables: {size: from-target}}
  prod: {}
`;

test.each<[string, Partial<ResolveInputs>, Record<string, string>]>([
  [
    'from-flag',
    { vars: { size: 'from-flag' }, environment: { BUNDLE_VAR_size: 'x' } },
    { 'variable-overrides.json': '{"size": "y"}' },
  ],
  [
    'from-environment',
    { environment: { BUNDLE_VAR_size: 'from-environment' } },
    { 'variable-overrides.json': '{"size": "y"}' },
  ],
  ['from-file', {}, { 'variable-overrides.json': '{"size": "from-file"}' }],
  ['from-target', {}, {}],
  ['small', { target: 'prod' }, {}],
])('a variable is %s when nothing stronger gives it', async (expected, inputs, files) => {
  const { settings } = await settingsOf(VARIABLES, inputs, files);

  expect(settings.description).toBe(expected);
});

test('a complex variable is taken whole, and its parts by path', async () => {
  const yaml = `${jobYaml('job_clusters: [{job_cluster_key: main, new_cluster: "${var.cluster}"}]\ndescription: on ${var.cluster.num_workers} workers')}variables:
  workers: {default: 3}
  cluster: {type: complex, default: {spark_version: 15.4.x, num_workers: "\${var.workers}"}}
`;

  const { settings, findings } = await settingsOf(yaml, { vars: { workers: '5' } });

  expect(findings).toEqual([]);
  expect(settings).toMatchObject({
    description: 'on 5 workers',
    job_clusters: [{ new_cluster: { spark_version: '15.4.x', num_workers: 5 } }],
  });
});

test('references nest, and ids of jobs wait for the deployment', async () => {
  const { settings, findings } = await settingsOf(
    `${jobYaml('description: ${var.${bundle.target}_note} ${resources.jobs.daily.name}\ntags: {self: "${resources.jobs.daily.id}", home: "${HOME}"}')}variables: {dev_note: {default: hello}}\ntargets: {dev: {}}\n`,
  );

  expect(findings.filter((finding) => !finding.includes('needs its own id'))).toEqual([]);
  expect(settings).toMatchObject({
    description: 'hello daily',
    tags: { self: '${resources.jobs.daily.id}', home: '${HOME}' },
  });
});

test.each([
  [
    'description: ${var.gone}',
    "error: databricks.yml:10:20: variable 'gone' is not declared under variables; declared are: none; declare it under variables",
  ],
  [
    'description: ${bundle.gone}',
    'error: databricks.yml:10:20: ${bundle.gone} refers to nothing in this bundle; correct the name',
  ],
  [
    'description: ${resources.queries.q.id}',
    'error: databricks.yml:10:20: ${resources.queries.q.id}: resources.queries.q does not exist in this bundle; add it under resources.queries, or correct the name',
  ],
])('%s is placed', async (line, finding) => {
  expect(await findingsOf({ 'databricks.yml': jobYaml(line), 'load.py': NOTEBOOK })).toContain(finding);
});

test('variables that refer to each other are refused', async () => {
  const yaml = `${jobYaml('description: ${var.a}')}variables: {a: {default: "\${var.b}"}, b: {default: "\${var.a}"}}\n`;

  const findings = await findingsOf({ 'databricks.yml': yaml, 'load.py': NOTEBOOK });

  expect(findings).toEqual([
    expect.stringContaining('these references lead in a circle: var.a -> var.b -> var.a'),
  ]);
});

test('an undeclared variable that a target or a flag assigns is refused', async () => {
  const yaml = `${jobYaml()}targets: {dev: {variables: {gone: 1}}}\n`;

  const findings = await findingsOf(
    { 'databricks.yml': yaml, 'load.py': NOTEBOOK },
    { vars: { other: '1' } },
  );

  expect(findings).toEqual([
    "error: --var:1:1: there is no variable 'other'; declared are: none; declare it under variables",
    "error: databricks.yml:11:29: target dev assigns variable 'gone', which is not declared under variables; declare it under variables",
  ]);
});

const TARGETS = 'targets: {dev: {}, prod: {}}\n';

test.each<[string, string, Partial<ResolveInputs>, string]>([
  [
    'none is default',
    TARGETS,
    {},
    'no target says default: true and there is more than one; choose with --target: dev, prod',
  ],
  ['it is unknown', TARGETS, { target: 'qa' }, "there is no target 'qa'; the targets are dev, prod"],
  [
    'two are default',
    'targets: {dev: {default: true}, prod: {default: true}}\n',
    {},
    'more than one target says default: true (dev, prod)',
  ],
])('a target is refused when %s', async (_, targets, inputs, message) => {
  const [finding] = await findingsOf({ 'databricks.yml': jobYaml() + targets, 'load.py': NOTEBOOK }, inputs);

  expect(finding).toContain(message);
});

test('a target changes one field of one task, one cluster and one parameter, and adds the rest', async () => {
  const yaml = `bundle: {name: shop}
resources:
  jobs:
    daily:
      parameters: [{name: day, default: mon}, {name: limit, default: "1"}]
      job_clusters: [{job_cluster_key: main, new_cluster: {num_workers: 1, spark_version: x}}]
      tasks:
        - {task_key: a, job_cluster_key: main, timeout_seconds: 5, notebook_task: {notebook_path: ./load.py}}
        - {task_key: b, job_cluster_key: main, notebook_task: {notebook_path: ./load.py}}
targets:
  prod:
    resources:
      jobs:
        daily:
          parameters: [{name: limit, default: "9"}]
          job_clusters: [{job_cluster_key: main, new_cluster: {num_workers: 8}}]
          tasks:
            - {task_key: b, timeout_seconds: 60}
            - {task_key: c, notebook_task: {notebook_path: ./load.py}}
`;

  const { settings, findings } = await settingsOf(yaml);

  expect(findings).toEqual([]);
  expect(settings).toMatchObject({
    parameters: [
      { name: 'day', default: 'mon' },
      { name: 'limit', default: '9' },
    ],
    job_clusters: [{ new_cluster: { num_workers: 8, spark_version: 'x' } }],
    tasks: [
      { task_key: 'a', timeout_seconds: 5 },
      { task_key: 'b', timeout_seconds: 60, job_cluster_key: 'main' },
      { task_key: 'c' },
    ],
  });
});

test('development mode marks, pauses and lets runs overlap', async () => {
  const schedule = 'schedule: {quartz_cron_expression: "0 0 2 * * ?", timezone_id: UTC}';

  const { settings } = await settingsOf(`${jobYaml(schedule)}targets: {dev: {mode: development}}\n`);

  expect(settings).toMatchObject({
    name: '[dev jane_doe] daily',
    tags: { dev: 'jane_doe' },
    schedule: { pause_status: 'PAUSED' },
    max_concurrent_runs: 4,
  });
});

test('in development a job keeps what it says itself', async () => {
  const own =
    'schedule: {quartz_cron_expression: "0 0 2 * * ?", timezone_id: UTC, pause_status: UNPAUSED}\nmax_concurrent_runs: 1';

  const { settings } = await settingsOf(
    `${jobYaml(own)}targets: {dev: {mode: development, presets: {name_prefix: "test "}}}\n`,
  );

  expect(settings).toMatchObject({
    name: 'test daily',
    schedule: { pause_status: 'UNPAUSED' },
    max_concurrent_runs: 1,
  });
});

test('production in a personal folder is a warning, on another branch an error', async () => {
  const yaml = `${jobYaml()}targets: {prod: {mode: production, git: {branch: main}}}\n`;

  const findings = await findingsOf(
    { 'databricks.yml': yaml, 'load.py': NOTEBOOK },
    {
      facts: { host: 'http://h', userName: 'u' },
      git: { branch: 'topic', commit: null, originUrl: null },
    },
  );

  expect(findings).toEqual([
    expect.stringMatching(/^warning: databricks\.yml:11:24: target prod is production, yet it lives/),
    'error: databricks.yml:11:50: target prod is deployed from branch main, but the folder is at topic; check out main, or use --force',
  ]);
});

test('paths mean a place beside their file, notebooks lose their extension and plain files keep it', async () => {
  const yaml = `resources:
  jobs:
    daily:
      tasks:
        - {task_key: a, notebook_task: {notebook_path: ../src/a.py}}
        - {task_key: b, notebook_task: {notebook_path: ../src/a}}
        - {task_key: c, notebook_task: {notebook_path: "\${workspace.file_path}/src/a.py"}}
        - {task_key: d, notebook_task: {notebook_path: /Shared/other}}
        - {task_key: e, spark_python_task: {python_file: src/plain.py}}
        - {task_key: f, for_each_task: {inputs: "[1]", task: {task_key: g, notebook_task: {notebook_path: ../src/a.py}}}}
`;

  const { settings, findings, bundle } = await settingsOf(
    'bundle: {name: shop}\ninclude: [jobs/*.yml]\nworkspace: {root_path: /Shared/x}\n',
    {},
    { 'jobs/daily.yml': yaml, 'src/a.py': NOTEBOOK, 'src/plain.py': 'print(1)\n' },
  );

  expect(findings).toEqual([]);
  const files = '/Workspace/Shared/x/files';
  expect(bundle.workspace.filePath).toBe(files);
  expect(settings.tasks).toMatchObject([
    { notebook_task: { notebook_path: `${files}/src/a` } },
    { notebook_task: { notebook_path: `${files}/src/a` } },
    { notebook_task: { notebook_path: `${files}/src/a` } },
    { notebook_task: { notebook_path: '/Shared/other' } },
    { spark_python_task: { python_file: `${files}/src/plain.py` } },
    { for_each_task: { task: { notebook_task: { notebook_path: `${files}/src/a` } } } },
  ]);
});

test('what is read from Git keeps its path: notebooks, SQL files and dbt projects of a job with a Git source, others that say so', async () => {
  const yaml = `bundle: {name: shop}
resources:
  jobs:
    daily:
      git_source: {git_url: "https://git.example/a", git_provider: gitHub, git_branch: main}
      tasks:
        - {task_key: a, notebook_task: {notebook_path: nb/etl}}
        - {task_key: b, spark_python_task: {python_file: jobs/b.py, source: GIT}}
        - {task_key: c, notebook_task: {notebook_path: ./load.py, source: WORKSPACE}}
        - {task_key: d, for_each_task: {inputs: "[1]", task: {task_key: e, notebook_task: {notebook_path: nb/e}}}}
        - {task_key: f, sql_task: {warehouse_id: w, file: {path: sql/report.sql}}}
        - {task_key: g, dbt_task: {project_directory: dbt, commands: [dbt run]}}
        - {task_key: h, sql_task: {warehouse_id: w, query: {query_id: q}}}
`;

  const { settings, findings } = await settingsOf(yaml);

  expect(findings).toEqual([]);
  expect(settings.tasks).toMatchObject([
    { notebook_task: { notebook_path: 'nb/etl' } },
    { spark_python_task: { python_file: 'jobs/b.py' } },
    { notebook_task: { notebook_path: expect.stringMatching(/^\/Workspace\/.*\/load$/) } },
    { for_each_task: { task: { notebook_task: { notebook_path: 'nb/e' } } } },
    { sql_task: { file: { path: 'sql/report.sql' } } },
    { dbt_task: { project_directory: 'dbt' } },
    { sql_task: { query: { query_id: 'q' } } },
  ]);
});

test('paths and keys of the task of a for-each are checked as those of any other', async () => {
  const nested = (task: string) => `tasks: [{task_key: f, for_each_task: {inputs: [1], task: {${task}}}}]`;
  const yaml = `bundle: {name: shop}
resources:
  jobs:
    a: {${nested('task_key: a, spark_python_task: {python_file: ./load.py}')}}
    b: {${nested('task_key: b, notebook_task: {notebook_path: ./gone.py}')}}
    c: {${nested('task_key: c, job_cluster_key: big, environment_key: env, notebook_task: {notebook_path: ./load.py}')}}
`;

  const findings = await findingsOf({ 'databricks.yml': yaml, 'load.py': NOTEBOOK });

  expect(findings.map((finding) => finding.replace(/:\d+: /, ': '))).toEqual([
    'warning: databricks.yml:4: load.py is a notebook; run it with notebook_task',
    expect.stringMatching(/^error: databricks\.yml:5: notebook '\.\/gone\.py' does not exist/),
    "error: databricks.yml:6: job_cluster_key 'big' is not declared in job c; the job declares none; declare it under job_clusters of the job",
    "error: databricks.yml:6: environment_key 'env' is not declared in job c; the job declares none; declare it under environments of the job",
  ]);
});

test('numbers and booleans are written as texts where the contract wants texts', async () => {
  const { settings, findings } = await settingsOf(
    jobYaml('tags: {size: 4, on: true}\nparameters: [{name: limit, default: 10}]').replace(
      '        - task_key',
      '        - {task_key: go, run_job_task: {job_id: 7, job_parameters: {day: 3}, python_params: [1]}}\n        - task_key',
    ),
  );

  expect(findings).toEqual([]);
  expect(settings).toMatchObject({
    tags: { size: '4', on: 'true' },
    parameters: [{ name: 'limit', default: '10' }],
    tasks: [{ run_job_task: { job_parameters: { day: '3' }, python_params: ['1'] } }, {}],
  });
});

test('the name of a bundle may hold references, and its target may give another', async () => {
  const { bundle } = await settingsOf(
    'bundle: {name: shop}\nvariables: {team: {default: red}}\ntargets: {dev: {bundle: {name: "shop-${var.team}"}}}\n',
  );

  expect(bundle.name).toBe('shop-red');
  expect(bundle.workspace.rootPath).toMatch(/\/\.bundle\/shop-red\/dev$/);
});

test('who a target runs as takes the place of who the bundle does', async () => {
  const { settings } = await settingsOf(
    `${jobYaml()}run_as: {user_name: jane@example.com}\ntargets: {prod: {run_as: {service_principal_name: robot}}}\n`,
  );

  expect(settings.run_as).toEqual({ service_principal_name: 'robot' });
});

test('scripts have their references replaced, but not what belongs to the shell', async () => {
  const { bundle } = await settingsOf(
    'bundle: {name: shop}\nscripts: {hello: {content: "echo ${bundle.name} ${HOME} $(pwd)"}}\n',
  );

  expect(bundle.scripts).toEqual([
    {
      name: 'hello',
      at: { file: 'databricks.yml', line: 2, column: 11 },
      content: 'echo shop ${HOME} $(pwd)',
    },
  ]);
});
