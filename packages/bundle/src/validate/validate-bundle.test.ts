// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { findingsOf, jobYaml, NOTEBOOK } from '../testing/bundle-folder.ts';

const findingsWith = (extra: string, rest = '') =>
  findingsOf({ 'databricks.yml': jobYaml(extra) + rest, 'load.py': NOTEBOOK });

test.each([
  [
    'an unknown field of a job',
    'desciption: x',
    "warning: databricks.yml:10:7: 'desciption' is not known in job daily; did you mean 'description'?",
  ],
  [
    'a wrong type',
    'max_concurrent_runs: many',
    'error: databricks.yml:10:28: job daily: max_concurrent_runs: expected a number, got the text "many"; write a number',
  ],
  [
    'a number too large',
    'max_concurrent_runs: 5000',
    'error: databricks.yml:10:28: job daily: max_concurrent_runs: expected at most 1000; write a value within the limit',
  ],
  [
    'a five-field schedule',
    'schedule: {quartz_cron_expression: "0 2 * * *", timezone_id: UTC}',
    /^error: databricks\.yml:10:42: job daily: '0 2 \* \* \*': it has 5 fields/,
  ],
  [
    'a schedule that never fires',
    'schedule: {quartz_cron_expression: "0 0 0 31 2 ?", timezone_id: UTC}',
    /^error: databricks\.yml:10:42: job daily: '0 0 0 31 2 \?' never fires/,
  ],
  [
    'a schedule that means something else',
    'schedule: {quartz_cron_expression: "0 0 0 ? * MON-FRI/2", timezone_id: UTC}',
    /^warning: databricks\.yml:10:42: job daily: Quartz ignores the step behind names/,
  ],
  [
    'an unknown zone',
    'schedule: {quartz_cron_expression: "0 0 2 * * ?", timezone_id: Mars/Olympus}',
    /^error: databricks\.yml:10:70: job daily: there is no time zone 'Mars\/Olympus'/,
  ],
])('%s is placed', async (_, extra, expected) => {
  const findings = await findingsWith(extra);

  expect(findings).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
});

test.each([
  [
    'a circle',
    '{task_key: a, depends_on: [{task_key: b}]',
    '{task_key: b, depends_on: [{task_key: a}]',
    /:7:22: tasks depend on each other in a circle: /,
  ],
  [
    'an unknown parent',
    '{task_key: a',
    '{task_key: b, depends_on: [{task_key: aa}]',
    /:7:49: task 'b' depends on 'aa', which is not a task of this job; did you mean 'a'\?$/,
  ],
  ['a key used twice', '{task_key: a', '{task_key: a', /:7:22: task key 'a' is used more than once/],
  [
    'an unknown cluster',
    '{task_key: a, job_cluster_key: big',
    '{task_key: b',
    /:6:42: job_cluster_key 'big' is not declared in job daily; the job declares none/,
  ],
])('%s is placed', async (_, first, second, expected) => {
  const work = ', notebook_task: {notebook_path: ./load.py}}';
  const yaml = `bundle: {name: shop}\nresources:\n  jobs:\n    daily:\n      tasks:\n        - ${first}${work}\n        - ${second}${work}\n`;

  const findings = await findingsOf({ 'databricks.yml': yaml, 'load.py': NOTEBOOK });

  expect(findings).toEqual([expect.stringMatching(expected)]);
});

test.each([
  [
    'description: "{{tasks.lad.values.x}}"',
    "{{tasks.lad.values.x}} names task 'lad', which this job does not have; did you mean 'load'?",
  ],
  [
    'description: "{{job.parameters.day}}"',
    "{{job.parameters.day}} names job parameter 'day', which this job does not have",
  ],
  ['description: "{{job.gone}}"', "'{{job.gone}}' is not a known reference: after 'job' comes id, name, "],
])('%s is placed', async (line, message) => {
  expect(await findingsWith(line)).toEqual([
    expect.stringMatching(/^(error|warning): databricks\.yml:10:20: /),
  ]);
  expect((await findingsWith(line))[0]).toContain(message);
});

test('a task that names no work, and a job without tasks, are refused', async () => {
  const yaml =
    'bundle: {name: shop}\nresources:\n  jobs:\n    none: {name: none}\n    idle: {tasks: [{task_key: a}]}\n';

  const findings = await findingsOf({ 'databricks.yml': yaml });

  expect(findings).toEqual([
    "error: databricks.yml:4:5: job none has no tasks; add a list 'tasks' with at least one task",
    expect.stringMatching(/^error: databricks\.yml:5:20: job idle: tasks\[0\]: names nothing to run/),
  ]);
});

test('jobs that need each other are refused', async () => {
  const job = (other: string) =>
    `{tasks: [{task_key: t, run_job_task: {job_id: "\${resources.jobs.${other}.id}"}}]}`;

  const findings = await findingsOf({
    'databricks.yml': `bundle: {name: shop}\nresources:\n  jobs:\n    a: ${job('b')}\n    b: ${job('a')}\n`,
  });

  expect(findings).toEqual([
    "error: databricks.yml:4:5: these jobs need each other's ids in a circle: a, b; take one of these references out",
  ]);
});

test('other kinds of resources are left out with a warning, and references to them stay', async () => {
  const findings = await findingsWith(
    'tags: {page: "${resources.dashboards.report.id}"}',
    '  dashboards:\n    report: {display_name: x}\n',
  );

  expect(findings).toEqual([
    'warning: databricks.yml:12:5: resources.dashboards.report: dashboards are not supported here: left out, the rest is deployed; keep it for the hosted product, or take it out',
  ]);
});

test('an unknown key at the top and in a target is a warning', async () => {
  const findings = await findingsWith('', 'artefacts: {}\ntargets: {dev: {modes: development}}\n');

  expect(findings).toEqual([
    "warning: databricks.yml:11:1: 'artefacts' is not known in the top level; did you mean 'artifacts'?",
    "warning: databricks.yml:12:17: 'modes' is not known in target dev; did you mean 'mode'?",
  ]);
});

test('a field that nobody knows is found in the value of a variable too, and said once', async () => {
  const findings = await findingsWith(
    'job_clusters: [{job_cluster_key: etl, new_cluster: "${var.cluster}"}, {job_cluster_key: b, new_cluster: {num_wrkers: 1}}]',
    'variables: {cluster: {type: complex, default: {num_worker: 2}}}\n',
  );

  expect(findings).toEqual([
    "warning: databricks.yml:10:112: 'num_wrkers' is not known in new_cluster; did you mean 'num_workers'?",
    "warning: databricks.yml:11:48: 'num_worker' is not known in new_cluster; did you mean 'num_workers'?",
  ]);
});
