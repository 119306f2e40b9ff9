import { advance, newRun, toJobId, toRunId } from '@headrace/core';
import { expect, test } from 'vitest';
import { toRunDefinition } from '../runs/run-definition.ts';
import type { Document, OverridingParameters, RunFacts } from '../runs/run-facts.ts';
import { toAttemptDocument, toAttemptParts } from './attempt-document.ts';

const urls = { publicUrl: 'http://here', workspaceId: '1' };
const nowMs = Date.UTC(2013, 0, 2, 3, 4, 5);

function anAttempt(
  task: object,
  options: { parameters?: Record<string, string>; overriding?: OverridingParameters; settings?: object } = {},
) {
  const settings = {
    name: 'flights',
    tasks: [{ task_key: 'load', ...task }],
    ...options.settings,
  } as Document;
  let nextId = 100;
  const newId = () => nextId++;
  const definition = toRunDefinition(settings);
  const made = newRun({ runId: toRunId(5), jobId: toJobId(4), definition, place: 'admit', nowMs, newId });
  const { run } = advance(made, [], { nowMs, newId });
  const facts: RunFacts = {
    runId: run.runId,
    jobId: run.jobId,
    runType: 'JOB_RUN',
    runName: 'flights',
    trigger: 'ONE_TIME',
    ownerId: 7,
    creatorUserName: 'ada',
    idempotencyToken: null,
    numberInJob: 5,
    parent: null,
    settings,
    parameters: {
      job: Object.entries(options.parameters ?? {}).map(([name, value]) => ({ name, default: value })),
      overriding: options.overriding ?? {},
    },
  };
  const taskRun = run.taskRuns.get('load');
  if (!taskRun) throw new Error('no task run');
  return { facts, run, taskRun, epoch: 1 };
}

function partsOf(...args: Parameters<typeof anAttempt>) {
  const parts = toAttemptParts(anAttempt(...args), urls);
  if ('code' in parts) throw new Error(parts.message);
  return parts;
}

test("a notebook gets base parameters, the run's, and the job's, which win", () => {
  const { task } = partsOf(
    { notebook_task: { notebook_path: '/n', base_parameters: { a: 'base', b: 'base', c: 'base' } } },
    { parameters: { c: 'job', d: 'job' }, overriding: { notebook_params: { b: 'run', c: 'run' } } },
  );

  expect(task).toEqual({
    kind: 'notebook',
    notebook_path: '/n',
    parameters: { a: 'base', b: 'run', c: 'job', d: 'job' },
  });
});

test('a wheel with named parameters gets the job parameters, one with positional ones does not', () => {
  const wheel = { package_name: 'p', entry_point: 'main' };
  const parameters = { day: '1' };

  const named = partsOf({ python_wheel_task: { ...wheel, named_parameters: { x: '2' } } }, { parameters });
  const positional = partsOf(
    { python_wheel_task: { ...wheel, parameters: ['{{job.parameters.day}}'] } },
    { parameters },
  );

  expect(named.task).toMatchObject({ named_parameters: { x: '2', day: '1' }, parameters: [] });
  expect(positional.task).toMatchObject({ named_parameters: {}, parameters: ['1'] });
});

test('references are resolved in every text, in the values of job parameters too', () => {
  const { task } = partsOf(
    {
      spark_python_task: {
        python_file: '/{{job.name}}/load.py',
        parameters: ['{{job.parameters.day}}', '{{nothing.known}}'],
      },
    },
    { parameters: { day: '{{job.start_time.iso_date}}' } },
  );

  expect(task).toEqual({
    kind: 'spark_python',
    python_file: '/flights/load.py',
    parameters: ['2013-01-02', '{{nothing.known}}'],
  });
});

test("libraries come from the task, and from its environment's dependencies", () => {
  const { libraries } = partsOf(
    { spark_python_task: { python_file: '/a.py' }, libraries: [{ whl: '/a.whl' }], environment_key: 'env' },
    {
      settings: {
        environments: [
          { environment_key: 'env', spec: { dependencies: ['/b.whl', '-r /req.txt', 'numpy==2'] } },
        ],
      },
    },
  );

  expect(libraries).toEqual([
    { whl: '/a.whl' },
    { whl: '/b.whl' },
    { requirements: '/req.txt' },
    { pypi: { package: 'numpy==2', repo: null } },
  ]);
});

test('a library of Maven has its repository and exclusions', () => {
  const { libraries } = partsOf({
    spark_python_task: { python_file: '/a.py' },
    libraries: [
      { maven: { coordinates: 'g:a:1', exclusions: ['x:y'] } },
      { jar: '/a.jar' },
      { pypi: { package: 'p', repo: 'http://i' } },
    ],
  });

  expect(libraries).toEqual([
    { maven: { coordinates: 'g:a:1', repo: null, exclusions: ['x:y'] } },
    { jar: '/a.jar' },
    { pypi: { package: 'p', repo: 'http://i' } },
  ]);
});

test.each([
  [{ libraries: [{ egg: '/a.egg' }] }, 'build a wheel of /a.egg'],
  [{ libraries: [{ cran: { package: 'ggplot2' } }] }, 'ggplot2'],
  [{ environment_key: 'gone' }, "no environment 'gone'"],
])('what cannot be had is named before anything runs: %j', (fields, named) => {
  const attempt = anAttempt({ spark_python_task: { python_file: '/a.py' }, ...fields });

  expect(toAttemptParts(attempt, urls)).toMatchObject({
    code: 'LIBRARY_INSTALLATION_ERROR',
    message: expect.stringContaining(named),
  });
});

test('the default catalog is the one of the job, else of the server', () => {
  const surroundings = {
    ...urls,
    apiUrl: 'http://here',
    dataRoot: '/data',
    defaultCatalog: 'main',
    catalogs: ['main', 'dev'],
    token: 't',
    clusterId: 'c',
    sessionConf: {},
  };
  const task = { spark_python_task: { python_file: '/a.py' } };
  const catalogOf = (attempt: ReturnType<typeof anAttempt>) => {
    const parts = toAttemptParts(attempt, urls);
    if ('code' in parts) throw new Error(parts.message);
    return toAttemptDocument(attempt, parts, surroundings).spark.default_catalog;
  };

  expect(catalogOf(anAttempt(task))).toBe('main');
  expect(catalogOf(anAttempt(task, { settings: { headrace: { default_catalog: 'dev' } } }))).toBe('dev');
});

test('a SQL task gets its own parameters, those of the run, and the job’s, which win', () => {
  const sql = { warehouse_id: 'w', parameters: { a: 'task', b: 'task', c: 'task' } };
  const options = { parameters: { c: 'job' }, overriding: { sql_params: { b: 'run', c: 'run' } } };
  const parameters = { a: 'task', b: 'run', c: 'job' };

  const file = partsOf({ sql_task: { ...sql, file: { path: '/q.sql' } } }, options);
  const query = partsOf({ sql_task: { ...sql, query: { query_id: 'q-1' } } }, options);

  expect(file.task).toEqual({ kind: 'sql', file_path: '/q.sql', query_id: null, alert_id: null, parameters });
  expect(query.task).toEqual({ kind: 'sql', file_path: null, query_id: 'q-1', alert_id: null, parameters });
  expect(query.resolved).toEqual({ sql_task: { parameters } });
});

test('a dbt task of a Git source may be the whole repository, and a run may bring other commands', () => {
  const { task, isFromGit } = partsOf(
    { dbt_task: { commands: ['dbt run'], catalog: 'dev' } },
    {
      overriding: { dbt_commands: ['dbt build'] },
      settings: {
        git_source: { git_url: 'https://a/b', git_provider: 'gitHub', git_branch: 'main' },
        tasks: [{ task_key: 'load', dbt_task: { commands: ['dbt run'], catalog: 'dev' } }],
      },
    },
  );

  expect(isFromGit).toBe(true);
  expect(task).toEqual({
    kind: 'dbt',
    project_directory: '',
    profiles_directory: null,
    commands: ['dbt build'],
    catalog: 'dev',
    schema: 'default',
    warehouse_id: null,
  });
});

test('a dbt task brings dbt where its libraries do not', () => {
  const dbt_task = { commands: ['dbt run'], project_directory: '/p' };
  const pypi = (name: string) => ({ pypi: { package: name } });
  const namesOf = (libraries: object[]) =>
    partsOf({ dbt_task, libraries }).libraries.map((library) =>
      'pypi' in library ? library.pypi.package : Object.keys(library)[0],
    );

  expect(namesOf([pypi('polars')])).toEqual(['polars', 'dbt-core==1.11.16', 'dbt-databricks==1.12.7']);
  expect(namesOf([pypi('dbt_spark==1.10.3')])).toEqual(['dbt_spark==1.10.3']);
  expect(namesOf([{ requirements: '/Workspace/r.txt' }])).toEqual(['requirements']);
});
