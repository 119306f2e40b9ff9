import { describe, expect, test } from 'vitest';
import type { Document } from '../runs/run-facts.ts';
import { validateSettings } from './validate-settings.ts';

const config: Parameters<typeof validateSettings>[1] = { unknownIds: 'default', gitProtocols: ['https'] };
const notebook_task = { notebook_path: '/Shared/step' };
const condition_task = { op: 'EQUAL_TO', left: '1', right: '1' };

function step(key: string, more: Document = {}): Document {
  return { task_key: key, notebook_task, ...more };
}

function loop(key: string, nested: Document, inputs: Document[string] = '[1]'): Document {
  return { task_key: key, for_each_task: { inputs, task: nested } };
}

function after(...parents: string[]): Document {
  return { depends_on: parents.map((task_key) => ({ task_key })) };
}

/** The message of the refusal; null when the settings are taken. */
function refusalOf(settings: Document, jobId: number | null = null, before: Document = {}): string | null {
  try {
    validateSettings(settings, config, jobId === null ? null : { jobId, settings: before });
    return null;
  } catch (error) {
    expect(error).toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
    return (error as Error).message;
  }
}

test('a schedule that was saved once does not keep its job from being changed, unless it is changed itself', () => {
  const old = { quartz_cron_expression: '0 0 0 31 2 ?', timezone_id: 'UTC', pause_status: 'UNPAUSED' };
  const before = { tasks: [step('a')], schedule: old };
  const refused = expect.stringContaining('never fires');

  expect(refusalOf({ ...before, name: 'renamed' }, 7, before)).toBeNull();
  expect(refusalOf({ ...before, schedule: { ...old, pause_status: 'PAUSED' } }, 7, before)).toBeNull();
  expect(refusalOf({ ...before, schedule: { ...old, timezone_id: 'Europe/Berlin' } }, 7, before)).toEqual(
    refused,
  );
  expect(refusalOf(before)).toEqual(refused);
});

const refusalOfTasks = (...tasks: Document[]) => refusalOf({ name: 'j', tasks });

test.each<[string, Document, string]>([
  [
    'a cycle',
    { tasks: [step('a', after('b')), step('b', after('a'))] },
    'tasks: tasks depend on each other in a circle: b → a → b',
  ],
  [
    'an unknown dependency',
    { tasks: [step('a', after('nope'))] },
    "tasks: task 'a' depends on 'nope', which is not a task of this job",
  ],
  ['two tasks of one key', { tasks: [step('a'), step('a')] }, "tasks: task key 'a' is used more than once"],
  ['no key', { tasks: [{ notebook_task }] }, 'tasks[0].task_key: is missing, expected a text'],
  [
    'an unknown job cluster',
    { tasks: [step('a', { job_cluster_key: 'missing' })] },
    "tasks: task 'a' asks for job cluster 'missing', which job_clusters does not have",
  ],
  [
    'a SQL task without work',
    { tasks: [{ task_key: 'a', sql_task: { warehouse_id: 'w' } }] },
    "tasks: task 'a': sql_task: names nothing to run; give it one of query, file",
  ],
  [
    'a dbt task without a project in the workspace',
    { tasks: [{ task_key: 'a', dbt_task: { commands: ['dbt run'] } }] },
    "tasks: task 'a': dbt_task.project_directory: name the folder",
  ],
  [
    'a command that is not of dbt',
    { tasks: [{ task_key: 'a', dbt_task: { commands: ['rm -rf /'], project_directory: '/p' } }] },
    "tasks: task 'a': dbt_task.commands: 'rm -rf /' is no command of dbt",
  ],
  ['no kind of work', { tasks: [{ task_key: 'A' }] }, 'tasks[0]: names nothing to run'],
  [
    'a cron with five fields',
    { tasks: [step('a')], schedule: { quartz_cron_expression: '0 2 * * *', timezone_id: 'UTC' } },
    "schedule.quartz_cron_expression: '0 2 * * *': it has 5 fields, and a Quartz expression has 6 or 7",
  ],
  [
    'an unknown operator',
    { tasks: [{ task_key: 'a', condition_task: { ...condition_task, op: 'LIKE' } }] },
    'tasks[0].condition_task.op: expected one of EQUAL_TO',
  ],
  [
    'a bad member of a known namespace',
    { tasks: [step('a', { notebook_task: { ...notebook_task, base_parameters: { x: '{{job.naem}}' } } })] },
    "tasks: task 'a': notebook_task.base_parameters.x: '{{job.naem}}' is not a known reference",
  ],
  [
    'negative retries',
    { tasks: [step('a', { max_retries: -2 })] },
    'tasks[0].max_retries: expected at least -1',
  ],
])('%s is refused with its reason', (_, settings, message) => {
  expect(refusalOf({ name: 'bad', ...settings })).toContain(message);
});

describe('a graph with for-each tasks', () => {
  test('keys, dependencies and branches that fit are taken', () => {
    expect(
      refusalOfTasks(
        step('a'),
        { task_key: 'is_good', condition_task, ...after('a') },
        step('yes', { depends_on: [{ task_key: 'is_good', outcome: 'true' }] }),
        step('no', { depends_on: [{ task_key: 'is_good', outcome: 'false' }] }),
        step('guarded', { condition_task, depends_on: [{ task_key: 'a', outcome: 'SUCCESS' }] }),
        { ...loop('loop', step('each')), ...after('guarded') },
        step('last', { depends_on: [{ task_key: 'loop' }, { task_key: 'guarded', outcome: 'true' }] }),
      ),
    ).toBeNull();
  });

  test.each([
    ['another task', [step('each'), loop('loop', step('each'))]],
    ['its own for-each', [loop('each', step('each'))]],
    ['the task of another', [loop('x', step('each')), loop('y', step('each'))]],
  ])('the key of a nested task may not be that of %s', (_, tasks) => {
    expect(refusalOfTasks(...tasks)).toContain("task key 'each' is used more than once");
  });

  test('a dependency on a nested task names the for-each', () => {
    expect(refusalOfTasks(loop('loop', step('each')), step('b', after('each')))).toBe(
      "tasks: task 'b' depends on 'each', which 'loop' runs for each input; depend on 'loop'",
    );
  });

  test.each<[string, Document]>([
    ['depends_on', after('a')],
    ['run_if', { run_if: 'ALL_DONE' }],
    ['for_each_task', { for_each_task: { inputs: '[]', task: step('z') } }],
  ])('a nested task has no %s', (field, more) => {
    expect(refusalOfTasks(step('a'), loop('loop', step('each', more)))).toContain(
      `tasks[1].for_each_task.task.${field}`,
    );
  });

  test('a nested task asks for a job cluster that exists', () => {
    expect(refusalOfTasks(loop('loop', step('each', { job_cluster_key: 'big' })))).toContain(
      "task 'each' asks for job cluster 'big'",
    );
  });

  test('nested tasks count towards the number of tasks', () => {
    const tasks = Array.from({ length: 500 }, (_, index) => loop(`l${index}`, step(`n${index}`)));

    expect(refusalOfTasks(...tasks)).toBeNull();
    expect(refusalOfTasks(...tasks, step('one'))).toContain('there are 1001 tasks');
  });

  test.each(['true', 'false'])('outcome %s needs a parent with a condition', (outcome) => {
    expect(refusalOfTasks(step('a'), step('b', { depends_on: [{ task_key: 'a', outcome }] }))).toBe(
      `tasks: task 'b' depends on outcome '${outcome}' of 'a', which has no condition_task; leave outcome out`,
    );
  });

  test('a thousand tasks with two hundred wrong edges each are checked at once', () => {
    const edges = Array.from({ length: 200 }, (_, index) => ({ task_key: `p${index}`, outcome: 'true' }));
    const tasks = Array.from({ length: 1_000 }, (_, index) => step(`t${index}`, { depends_on: edges }));

    expect(refusalOfTasks(...tasks)).toContain('and 199980 more');
  });

  test('many problems are told by the first of them', () => {
    const tasks = Array.from({ length: 100 }, (_, index) => step(`t${index}`, after(`ghost${index}`)));

    expect(refusalOfTasks(...tasks)).toMatch(/'ghost19'.*; and 80 more$/);
  });
});

describe('the inputs of a for-each', () => {
  test.each<[Document[string]]>([
    ['[]'],
    ['["a", {"b": 1}]'],
    ['{{job.parameters.tables}}'],
    ['["{{job.parameters.a}}"]'],
    ['{{tasks.a.values.list}}'],
    [['a', 1]],
  ])('%j are taken', (inputs) => {
    expect(refusalOfTasks(loop('loop', step('each'), inputs))).toBeNull();
  });

  test.each<[Document[string], string]>([
    ['{"a": 1}', 'the inputs are not a JSON array but an object'],
    ['a,b', "the inputs are not JSON; expected a JSON array, got 'a,b'"],
    [JSON.stringify(Array(5_001).fill(0)), 'there are 5001 inputs; at most 5000 are allowed'],
  ])('written out, they are checked when the job is saved: %.12j', (inputs, problem) => {
    expect(refusalOfTasks(loop('loop', step('each'), inputs))).toContain(
      `tasks: task 'loop': for_each_task.inputs: ${problem}`,
    );
  });
});

describe('references', () => {
  const bad = '{{workspace.nope}}';
  test.each<[string, Document, string]>([
    [
      'a nested task',
      loop('loop', step('each', { notebook_task: { notebook_path: bad } })),
      "'each': notebook_task.notebook_path",
    ],
    [
      'the operand of a condition',
      { task_key: 'c', condition_task: { ...condition_task, left: bad } },
      "'c': condition_task.left",
    ],
    [
      'the condition of a guarded task',
      step('g', { condition_task: { ...condition_task, right: bad } }),
      "'g': condition_task.right",
    ],
    ['inputs', loop('loop', step('each'), bad), "'loop': for_each_task.inputs"],
    ['inputs in a list', loop('loop', step('each'), ['a', bad]), "'loop': for_each_task.inputs[1]"],
    [
      'run_job parameters',
      { task_key: 'r', run_job_task: { job_id: 5, job_parameters: { p: bad } } },
      "'r': run_job_task.job_parameters.p",
    ],
  ])('a wrong one is found in %s, once, and its place is told', (_, task, place) => {
    const message = refusalOfTasks(task);

    expect(message).toContain(`tasks: task ${place}: '${bad}' is not a known reference`);
    expect(message?.split(bad)).toHaveLength(2);
  });

  test('a wrong one is found in the default of a parameter', () => {
    expect(refusalOf({ parameters: [{ name: 'p', default: bad }] })).toContain(`parameters: 'p': '${bad}'`);
  });

  test('a wrong one is found in a job cluster', () => {
    const new_cluster = { spark_version: '13.3.x-scala2.12', cluster_name: bad };

    expect(refusalOf({ job_clusters: [{ job_cluster_key: 'c', new_cluster }] })).toContain(
      `job_clusters: 'c': new_cluster.cluster_name: '${bad}'`,
    );
  });

  test('prose and unknown names are left alone', () => {
    expect(
      refusalOfTasks(step('a', { description: `see ${bad}`, libraries: [{ whl: '{{x.y}}' }] })),
    ).toBeNull();
  });

  test('those of an iteration are no problem', () => {
    const nested = step('each', {
      notebook_task: { ...notebook_task, base_parameters: { a: '{{input.x}}' } },
    });

    expect(refusalOfTasks(loop('loop', nested))).toBeNull();
  });
});

test('a job that runs itself is refused, in an iteration too', () => {
  const run = (job_id: number | string) => ({ task_key: 'again', run_job_task: { job_id } });
  const message = "tasks: task 'again': run_job_task.job_id: job 11 cannot run itself";

  expect(refusalOf({ tasks: [run(11)] }, 11)).toBe(message);
  expect(refusalOf({ tasks: [loop('loop', run('11'))] }, 11)).toBe(message);
  expect(refusalOf({ tasks: [run(12)] }, 11)).toBeNull();
});

test('a task written at the top is checked like any other', () => {
  const settings = { notebook_task: { ...notebook_task, base_parameters: { x: '{{task.nope}}' } } };

  expect(refusalOf(settings)).toContain('{{task.nope}}');
  expect(refusalOf({ notebook_task: { notebook_path: 5 } as never })).toContain('notebook_path');
});

describe('sets of worker labels', () => {
  const asking = (index: number, more: Document = {}) =>
    step(`t${index}`, { headrace: { worker_labels: { machine: `m${index}`, ...more } } });
  const tasks = (count: number) => Array.from({ length: count }, (_, index) => asking(index));

  test('twenty different ones are taken, in tasks that ask for none or the same too', () => {
    const same = { ...asking(0), task_key: 'same' };

    expect(refusalOfTasks(...tasks(20), same, step('none'))).toBeNull();
  });

  test('more are refused, those in a for-each too', () => {
    const nested = loop('loop', { ...asking(21), task_key: 'nested' });

    expect(refusalOfTasks(...tasks(20), nested)).toBe(
      'tasks: they ask for 21 different sets of headrace.worker_labels; at most 20 are allowed in a job',
    );
  });

  test('the order in which names stand makes no difference', () => {
    const turned = Array.from({ length: 20 }, (_, index) =>
      step(`u${index}`, { headrace: { worker_labels: { zone: 'a', machine: `m${index}` } } }),
    );
    const straight = Array.from({ length: 20 }, (_, index) => asking(index, { zone: 'a' }));

    expect(refusalOfTasks(...straight, ...turned)).toBeNull();
  });
});
