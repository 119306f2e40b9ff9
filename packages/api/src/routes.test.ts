import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Handlers, RequestOf } from './route.ts';
import { matchPath, parseRequest, type Route, readPathParameters } from './route.ts';
import { type RouteName, routes } from './routes.ts';

const table = Object.entries<Route>(routes);

/**
 * ARCHITECTURE, "What is shared, and who owns it"; sign-in is how a browser gets its session, and a link to a part of a
 * result carries a signature.
 */
const openRoutes: readonly RouteName[] = [
  'wellKnownConfig',
  'healthz',
  'readyz',
  'signIn',
  'statementsResultFile',
];

describe('the route table', () => {
  test('opens only the routes that need no token', () => {
    const open = table.filter(([, route]) => route.permission === 'open').map(([name]) => name);

    expect(open.toSorted()).toEqual(openRoutes.toSorted());
  });

  test('names an audit action for every other route, each once; what processes of ours repeat has none', () => {
    const actions = table
      .filter(
        ([, route]) =>
          route.permission !== 'open' &&
          !((route.permission === 'worker' || route.permission === 'task') && route.audit === null),
      )
      .map(([, route]) => route.audit);

    expect(actions.every((action) => typeof action === 'string' && /^[a-z-]+\.[a-z-]+$/.test(action))).toBe(
      true,
    );
    expect(new Set(actions).size).toBe(actions.length);
  });

  test('has each method and path once, aliases included', () => {
    const places = table.flatMap(([, route]) =>
      [route.path, ...route.aliases].map((path) => `${route.method} ${path}`),
    );

    expect(new Set(places).size).toBe(places.length);
  });

  test('answers the Jobs API in its three versions', () => {
    const jobs = table.filter(([, route]) => route.path.startsWith('/api/2.2/jobs/'));

    expect(jobs.length).toBe(16);
    for (const [, route] of jobs) {
      expect(route.aliases).toEqual([
        route.path.replace('/2.2/', '/2.1/'),
        route.path.replace('/2.2/', '/2.0/'),
      ]);
    }
  });

  test('has every path parameter in its request schema', () => {
    for (const [name, route] of table) {
      for (const parameter of readPathParameters(route.path)) {
        const request = route.request.toJSONSchema({ io: 'input' });
        expect(Object.keys(request.properties ?? {}), name).toContain(parameter.name);
      }
    }
  });

  test('says in one sentence what each route does', () => {
    for (const [name, route] of table) expect(route.summary, name).toMatch(/^[A-Z].*\.$/s);
  });
});

describe('types', () => {
  test('a handler gets parsed values', () => {
    expectTypeOf<RequestOf<typeof routes.jobsGet>['job_id']>().toEqualTypeOf<number>();
    expectTypeOf<RequestOf<typeof routes.runsList>['limit']>().toEqualTypeOf<number>();
  });

  test('handlers must answer every route', () => {
    type All = Handlers<typeof routes, object>;

    expectTypeOf<keyof All>().toEqualTypeOf<RouteName>();
    expectTypeOf<Omit<All, 'jobsGet'>>().not.toExtend<All>();
  });
});

describe('parseRequest', () => {
  test('reads numbers and booleans that arrive as texts', () => {
    const request = parseRequest(routes.runsList, {
      job_id: '11',
      expand_tasks: 'True',
      limit: '5',
      page_token: '',
    });

    expect(request).toMatchObject({ job_id: 11, expand_tasks: true, limit: 5, page_token: '', offset: 0 });
  });

  test('keeps unknown fields of job settings at every depth', () => {
    const settings = {
      name: 'a',
      colour: 'blue',
      tasks: [
        {
          task_key: 'x',
          notebook_task: { notebook_path: '/x', hue: 3 },
          new_cluster: { aws_attributes: { zone: 'z' } },
        },
      ],
    };

    expect(parseRequest(routes.jobsCreate, settings)).toEqual(settings);
  });

  test('repairs with the current definition, and no active run, unless asked otherwise', () => {
    const request = parseRequest(routes.runsRepair, { run_id: '7', rerun_all_failed_tasks: 'True' });

    expect(request).toEqual({
      run_id: 7,
      rerun_all_failed_tasks: true,
      rerun_dependent_tasks: false,
      headrace: { definition: 'current', while_active: false },
    });
  });

  test('selects tasks with what they depend on, and what depends on them', () => {
    const only = ['a', '+a', 'a+', '+a-b_c+'];

    expect(parseRequest(routes.jobsRunNow, { job_id: 1, only }).only).toEqual(only);
  });

  test('takes a null for a field that was left out', () => {
    expect(parseRequest(routes.jobsList, { name: null, limit: null })).toMatchObject({ limit: 20 });
  });

  test.each([
    ['jobsList', { limit: 101 }, 'limit: expected at most 100'],
    ['jobsList', { limit: 0 }, 'limit: expected at least 1'],
    ['runsList', { limit: 25 }, 'limit: expected at most 24'],
    ['jobsGet', {}, 'job_id: is missing, expected a number'],
    ['jobsGet', { job_id: '12x' }, 'job_id: expected a number, got the text "12x"'],
    ['jobsGet', { job_id: 2 ** 53 }, 'job_id: expected at most 9007199254740991'],
    [
      'jobsRunNow',
      { job_id: 1, idempotency_token: 'x'.repeat(65) },
      'idempotency_token: expected at most 64 characters',
    ],
    ['jobsCreate', { tasks: [{ task_key: 'a' }] }, 'tasks[0]: names nothing to run'],
    [
      'jobsCreate',
      { tasks: [{ task_key: 'a', sql_task: {}, dbt_task: {} }] },
      'tasks[0]: names several things to run (sql_task, dbt_task)',
    ],
    ['jobsRunNow', { job_id: 1, only: ['a b'] }, 'only[0]: expected a text that matches'],
    ['jobsRunNow', { job_id: 1, only: ['++a'] }, 'only[0]: expected a text that matches'],
    ['runsCancelAll', {}, 'job_id: is missing; name a job, or set all_queued_runs'],
    ['runsCancelAll', { all_queued_runs: 'False' }, 'job_id: is missing'],
    ['runsRepair', { run_id: 1, rerun_tasks: 'a' }, 'rerun_tasks: expected a list, got the text "a"'],
    [
      'runsRepair',
      { run_id: 1, headrace: { definition: 'old' } },
      'headrace.definition: expected one of current, original, got the text "old"',
    ],
    [
      'runsExport',
      { run_id: 1, views_to_export: 'code' },
      'views_to_export: expected one of CODE, DASHBOARDS, ALL',
    ],
    ['runsWhy', { run_id: 1, iteration: 0 }, 'task_key: is missing; an iteration belongs to a task'],
    ['workspaceGetStatus', { path: 'x' }, 'path: expected a text that starts with "/"'],
    ['catalogsGet', { name: 'a.b' }, 'name: expected a text that matches'],
  ] as const)('%s refuses %j and says: %s', (name, request, message) => {
    const route: Route = routes[name];

    expect(() => parseRequest(route, request)).toThrow(message);
  });
});

describe('matchPath', () => {
  test('reads the parameters of a path', () => {
    const found = matchPath(routes.taskLog, '/api/headrace/runs/7/tasks/8/log');

    expect(found).toEqual({ run_id: '7', task_run_id: '8' });
  });

  test('knows the aliases and no other path', () => {
    expect(matchPath(routes.jobsGet, '/api/2.0/jobs/get')).toEqual({});
    expect(matchPath(routes.jobsGet, '/api/2.0/jobs/gets')).toBeUndefined();
    expect(matchPath(routes.tablesGet, '/api/2.1/unity-catalog/tables/a.b.c/exists')).toBeUndefined();
  });
});
