// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { findingsOf, NOTEBOOK } from '../testing/bundle-folder.ts';

const WORK = 'notebook_task: {notebook_path: ./load.py}';
const CONDITION = 'condition_task: {op: LESS_THAN, left: "1", right: "2"}';

/** One line for each task, the first at line 6. */
const bundleOf = (...tasks: string[]) =>
  `bundle: {name: shop}\nresources:\n  jobs:\n    daily:\n      tasks:\n${tasks.map((task) => `        - {${task}}\n`).join('')}`;
const findingsOfTasks = (...tasks: string[]) =>
  findingsOf({ 'databricks.yml': bundleOf(...tasks), 'load.py': NOTEBOOK });
const forEach = (nested: string, extra = '') =>
  `task_key: each, ${extra}for_each_task: {inputs: '[1]', task: {${nested}}}`;

test('every construct of control flow, written well, gives no finding', async () => {
  const findings = await findingsOfTasks(
    `task_key: load, max_retries: 2, ${WORK}`,
    'task_key: check, depends_on: [{task_key: load, outcome: SUCCESS}], condition_task: {op: GREATER_THAN, left: "{{tasks.load.values.rows}}", right: 0}',
    `task_key: yes, depends_on: [{task_key: check, outcome: true}], ${WORK}`,
    'task_key: each, depends_on: [{task_key: check, outcome: "false"}], for_each_task: {inputs: [1, {a: 2}], concurrency: 2, task: {task_key: one, max_retries: 1, notebook_task: {notebook_path: ./load.py, base_parameters: {a: "{{input.a}}"}}}}',
    'task_key: last, depends_on: [{task_key: each}], run_if: ALL_DONE, notebook_task: {notebook_path: ./load.py, base_parameters: {all: "{{tasks.each.values.a}}"}}',
  );

  expect(findings).toEqual([]);
});

test('a guarded task is accepted, with a warning that hosted workspaces refuse it', async () => {
  const findings = await findingsOfTasks(`task_key: load, ${CONDITION}, ${WORK}`);

  expect(findings).toEqual([
    "warning: databricks.yml:6:44: task 'load' has a condition_task beside its notebook_task: it runs only if the condition holds, a form that hosted workspaces refuse; where it must run there too, make the condition a task of its own",
  ]);
});

test.each([
  ['EQUAL_TO', '"12"', '12.0', 1],
  ['NOT_EQUAL', '"1e3"', '"1000"', 1],
  ['EQUAL_TO', '"12"', '"twelve"', 0],
  ['EQUAL_TO', '"{{job.id}}"', '"12"', 0],
  ['LESS_THAN', '"12"', '"12.0"', 0],
])('%s of %s and %s gives %d warnings', async (op, left, right, count) => {
  const findings = await findingsOfTasks(
    `task_key: same, condition_task: {op: ${op}, left: ${left}, right: ${right}}`,
  );

  expect(findings).toHaveLength(count);
  for (const finding of findings)
    expect(finding).toMatch(
      /^warning: databricks\.yml:6:49: .* as texts, not as numbers: 12\.0 is not 12; write both in the same way/,
    );
});

test('a text where numbers are compared gives a warning', async () => {
  const findings = await findingsOfTasks(
    'task_key: c, condition_task: {op: LESS_THAN, left: "{{job.parameters.`a b`}}", right: many}',
  );

  expect(findings).toEqual([
    "warning: databricks.yml:6:46: LESS_THAN compares numbers, which 'many' is not: the task will fail; write a number, or compare texts with EQUAL_TO or NOT_EQUAL",
  ]);
});

test.each([
  [
    'a for-each',
    forEach(`task_key: one, max_retries: 1, ${WORK}`, 'max_retries: 3, '),
    "6:41: max_retries of for-each task 'each' has no effect: each iteration is retried by itself; write it at the nested task",
  ],
  [
    'a condition',
    `task_key: c, max_retries: 1, ${CONDITION}`,
    "6:38: max_retries of condition task 'c' has no effect; take it out",
  ],
])('max_retries of %s gives a warning', async (_, task, message) => {
  expect(await findingsOfTasks(task)).toEqual([`warning: databricks.yml:${message}`]);
});

test('a branch of a task that is no condition is refused', async () => {
  const findings = await findingsOfTasks(
    `task_key: load, ${WORK}`,
    `task_key: next, depends_on: [{task_key: load, outcome: "true"}], ${WORK}`,
  );

  expect(findings).toEqual([
    "error: databricks.yml:7:67: outcome 'true' is a branch of a condition task, which 'load' is not; leave it out and say with run_if how 'load' must have ended",
  ]);
});

test('the input of an iteration outside of one gives a warning', async () => {
  const findings = await findingsOfTasks(
    'task_key: load, notebook_task: {notebook_path: ./load.py, base_parameters: {a: "x{{input.a}}"}}',
    `task_key: prose, description: "like {{input}}, as {{tasks.load.values.x}} is", ${WORK}`,
    `task_key: each, for_each_task: {inputs: "{{input}}", task: {task_key: one, description: "{{input}}", ${WORK}}}`,
  );

  expect(findings).toEqual([
    'warning: databricks.yml:6:91: {{input.a}} means the input of an iteration and stays as written here; move it into the task of a for_each_task',
    'warning: databricks.yml:8:52: {{input}} means the input of an iteration and stays as written here; move it into the task of a for_each_task',
  ]);
});

test('a for-each inside a for-each, and what an iteration cannot wait for, are refused where they stand', async () => {
  const findings = await findingsOfTasks(
    forEach(`task_key: one, depends_on: [{task_key: each}], ${WORK}`),
    'task_key: outer, for_each_task: {inputs: "[]", task: {task_key: inner, for_each_task: {}}}',
  );

  expect(findings).toEqual([
    expect.stringMatching(/^error: databricks\.yml:6:.*an iteration depends on nothing of its own/),
    expect.stringMatching(/^error: databricks\.yml:7:.*a for-each cannot run a for-each/),
  ]);
});

test('inputs that are no list are refused, those of a reference are left to the run', async () => {
  const inputs = (text: string, key: string) =>
    `task_key: ${key}, for_each_task: {inputs: '${text}', task: {task_key: ${key}x, ${WORK}}}`;

  const findings = await findingsOfTasks(
    inputs('{"a": 1}', 'a'),
    inputs('1, 2', 'b'),
    inputs('[]', 'c'),
    inputs('{{job.parameters.`x y`}}', 'd'),
  );

  expect(findings).toEqual([
    expect.stringMatching(/^error: databricks\.yml:6:49: the inputs are not a JSON array but an object: /),
    expect.stringMatching(/^error: databricks\.yml:7:49: the inputs are not JSON; expected a JSON array, /),
  ]);
});

test('a reference to a task that is not waited for gives a warning, one through others does not', async () => {
  const reader = (key: string, extra: string, of: string) =>
    `task_key: ${key}, ${extra}notebook_task: {notebook_path: ./load.py, base_parameters: {a: "{{tasks.${of}.values.x}}"}}`;

  const findings = await findingsOfTasks(
    `task_key: load, ${WORK}`,
    reader('early', '', 'load'),
    reader('self', '', 'self'),
    `task_key: middle, depends_on: [{task_key: load}], ${WORK}`,
    reader('late', 'depends_on: [{task_key: middle}], ', 'load'),
    `task_key: each, for_each_task: {inputs: "{{tasks.middle.values.x}}", task: {${reader('one', '', 'load')}}}`,
  );

  expect(findings.map((finding) => finding.replace(/^(\w+): \S+:(\d+):\d+: /, '$1 $2: '))).toEqual([
    "warning 7: {{tasks.load.values.x}} may not be known yet: task 'early' does not wait for 'load', directly or through others; add 'load' to depends_on",
    "warning 8: {{tasks.self.values.x}} may not be known yet: task 'self' cannot read itself before it runs; name another task",
    "warning 11: {{tasks.middle.values.x}} may not be known yet: task 'each' does not wait for 'middle', directly or through others; add 'middle' to depends_on",
    "warning 11: {{tasks.load.values.x}} may not be known yet: task 'each' does not wait for 'load', directly or through others; add 'load' to depends_on",
  ]);
});

test('the key of a nested task is its own, and others name the for-each instead', async () => {
  const findings = await findingsOfTasks(
    forEach(`task_key: one, ${WORK}`),
    `task_key: one, ${WORK}`,
    `task_key: after, depends_on: [{task_key: two}], ${WORK}`,
    `task_key: all, for_each_task: {inputs: "{{tasks.two.values.x}}", task: {task_key: two, ${WORK}}}`,
  );

  expect(findings).toEqual([
    "error: databricks.yml:6:76: task key 'one' is used more than once; give the task of the for-each a key of its own",
    "error: databricks.yml:8:53: task 'after' depends on 'two', which for-each task 'all' runs; depend on 'all'",
    "error: databricks.yml:9:51: {{tasks.two.values.x}} names task 'two', which runs once for each input of 'all'; write tasks.all, whose values are lists",
  ]);
});

test('unknown keys of control flow name the nearest known one', async () => {
  const findings = await findingsOfTasks(
    'task_key: c, condition_task: {op: LESS_THAN, left: "1", right: "2", rightt: "3"}',
    `task_key: each, for_each_task: {inputs: '[]', concurency: 2, task: {task_key: one, max_retrys: 1, ${WORK}}}`,
    'task_key: go, run_job_task: {job_id: 7, job_parameter: {a: "1"}}',
  );

  expect(findings.map((finding) => finding.replace(/^.*?: .*?: /, ''))).toEqual([
    "'rightt' is not known in condition_task; did you mean 'right'?",
    "'concurency' is not known in for_each_task; did you mean 'concurrency'?",
    "'max_retrys' is not known in a task; did you mean 'max_retries'?",
    "'job_parameter' is not known in run_job_task; did you mean 'job_parameters'?",
  ]);
});

test('a parameter that the started job does not declare gives a warning', async () => {
  const yaml = `${bundleOf('task_key: go, run_job_task: {job_id: "${resources.jobs.child.id}", job_parameters: {dayy: "1", day: "2"}}')}    child:
      parameters: [{name: day, default: ""}]
      tasks: [{task_key: a, ${WORK}}]
`;

  const findings = await findingsOf({ 'databricks.yml': yaml, 'load.py': NOTEBOOK });

  expect(findings).toEqual([
    "warning: databricks.yml:6:96: job child declares no parameter 'dayy'; did you mean 'day'?",
  ]);
});

test('a job that runs itself is refused', async () => {
  const findings = await findingsOfTasks(
    'task_key: again, run_job_task: {job_id: "${resources.jobs.daily.id}"}',
  );

  expect(findings).toEqual([
    'error: databricks.yml:4:5: job daily needs its own id, which it has only once it is created; take the reference out: a job cannot run itself',
  ]);
});
