// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { findingsOf, NOTEBOOK } from '../testing/bundle-folder.ts';

const WORK = 'notebook_task: {notebook_path: ./load.py}';
const CONDITION = 'condition_task: {op: LESS_THAN, left: "1", right: "2"}';

/** One line for each task, the first at line 8. */
const findingsOfTasks = (...tasks: string[]) =>
  findingsOf({
    'databricks.yml': `bundle: {name: shop}
variables: {zone: {default: a}}
resources:
  jobs:
    daily:
      headrace: {worker_labels: {zone: "\${var.zone}", disk: 1}}
      tasks:
${tasks.map((task) => `        - {${task}}\n`).join('')}`,
    'load.py': NOTEBOOK,
  });

test('labels of a job, a task, a for-each and its task give no finding', async () => {
  const findings = await findingsOfTasks(
    `task_key: train, headrace: {worker_labels: {gpu: yes, cores: 8, big: true}}, ${WORK}`,
    `task_key: each, headrace: {worker_labels: {zone: b}}, for_each_task: {inputs: "[]", task: {task_key: one, headrace: {worker_labels: {gpu: ""}}, ${WORK}}}`,
  );

  expect(findings).toEqual([]);
});

test('labels that no worker can have are errors, each at its place', async () => {
  const findings = await findingsOfTasks(
    `task_key: train, headrace: {worker_labels: {"a b": yes}}, ${WORK}`,
    `task_key: zone, headrace: {worker_labels: {zone: "{{job.parameters.zone}}"}}, ${WORK}`,
    `task_key: all, headrace: {worker_labels: gpu=yes}, ${WORK}`,
    `task_key: each, for_each_task: {inputs: "[]", task: {task_key: one, headrace: {worker_labels: {gpu: "a,b"}}, ${WORK}}}`,
  );

  expect(findings.filter((finding) => finding.startsWith('error'))).toEqual([
    expect.stringMatching(/^error: databricks\.yml:8:63: .*worker_labels\["a b"\]: is no name of a label/),
    expect.stringMatching(/^error: databricks\.yml:9:61: .*a label is no place for \{\{references\}\}/),
    expect.stringMatching(/^error: databricks\.yml:10:53: .*worker_labels: expected an object/),
    expect.stringMatching(/^error: databricks\.yml:11:\d+: .*the value of a label has no commas/),
  ]);
});

test('labels where no worker is asked, and misspelt ones, give a warning', async () => {
  const findings = await findingsOfTasks(
    `task_key: check, headrace: {worker_labels: {gpu: yes}}, ${CONDITION}`,
    'task_key: other, headrace: {worker_labels: {gpu: yes}}, run_job_task: {job_id: 5}',
    `task_key: train, headrace: {worker_label: {gpu: yes}}, ${WORK}`,
    `task_key: guarded, headrace: {worker_labels: {gpu: yes}}, ${CONDITION}, ${WORK}`,
  );

  expect(findings.filter((finding) => finding.includes('label'))).toEqual([
    expect.stringMatching(/^warning: .*:8:\d+: worker_labels of condition task 'check' have no effect/),
    expect.stringMatching(/^warning: .*:9:\d+: .*have no effect on the job that it runs; write them there/),
    expect.stringMatching(
      /^warning: .*:10:\d+: 'worker_label' is not known in headrace of a task; did you mean 'worker_labels'\?/,
    ),
  ]);
});
