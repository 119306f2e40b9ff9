// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles
import { expect, test } from 'vitest';
import { formatProblem } from '../problem.ts';
import { aPlannedWorld } from '../testing/planned-world.ts';
import { findIdlePermissions } from './find-idle-permissions.ts';
import { findDrift } from './format-plan.ts';
import type { Plan } from './planned-action.ts';

const JOB = `bundle: {name: shop}
resources:
  jobs:
    daily:
      name: daily
      timeout_seconds: 60
      tags: {team: data}
      tasks:
        - {task_key: load, notebook_task: {notebook_path: ./load.py, base_parameters: {a: x}}}
`;
const SCHEMA = `bundle: {name: shop}
resources:
  schemas:
    raw: {name: raw, catalog_name: main, comment: as it comes}
  volumes:
    landing: {name: landing, catalog_name: main, schema_name: raw, volume_type: MANAGED}
`;

const changes = ({ actions }: Plan) =>
  actions.map(({ action, resource, differences }) =>
    [`${action} ${resource}`, ...differences.map(({ path, origin }) => `${path} (${origin})`)].join(' '),
  );

async function aDeployedWorld(yaml: string) {
  const world = aPlannedWorld();
  world.apply(await world.plan(yaml));
  return world;
}

test('a change in the files and one by hand are told apart, and both are put right', async () => {
  const world = await aDeployedWorld(JOB);
  Object.assign(world.remotes.get('jobs.daily') ?? {}, { max_concurrent_runs: 7, tags: { team: 'other' } });

  const plan = await world.plan(JOB.replace('timeout_seconds: 60', 'timeout_seconds: 90'));
  world.apply(plan);

  expect(changes(plan)).toEqual([
    'update jobs.daily max_concurrent_runs (hand) tags.team (hand) timeout_seconds (files)',
  ]);
  expect(findDrift(plan)).toEqual([{ resource: 'jobs.daily', paths: ['max_concurrent_runs', 'tags.team'] }]);
  expect(world.remotes.get('jobs.daily')).toMatchObject({ timeout_seconds: 90, tags: { team: 'data' } });
});

test('a value that both the files and a hand have changed is the files’', async () => {
  const world = await aDeployedWorld(JOB);
  Object.assign(world.remotes.get('jobs.daily') ?? {}, { timeout_seconds: 70 });

  const plan = await world.plan(JOB.replace('timeout_seconds: 60', 'timeout_seconds: 90'), {
    drift: 'adopt',
  });

  expect(changes(plan)).toEqual(['update jobs.daily timeout_seconds (files)']);
});

test('what was adopted stays until the files change that very field', async () => {
  const world = await aDeployedWorld(JOB);
  Object.assign(world.remotes.get('jobs.daily') ?? {}, { timeout_seconds: 70, tags: { cost: '1' } });

  const adopting = await world.plan(JOB, { drift: 'adopt' });
  world.apply(adopting);
  const after = await world.plan(JOB);
  const renamed = await world.plan(JOB.replace('name: daily', 'name: nightly'));
  world.apply(renamed);
  const changed = await world.plan(
    JOB.replace('name: daily', 'name: nightly').replace('timeout_seconds: 60', 'timeout_seconds: 80'),
  );

  expect(changes(adopting)).toEqual(['unchanged jobs.daily']);
  expect(adopting.hasChanges).toBe(true);
  expect(adopting.actions[0]?.adopted).toMatchObject([
    { path: 'tags.cost', kept: '1' },
    { path: 'tags.team', file: 'data' },
    { path: 'timeout_seconds', file: 60, kept: 70 },
  ]);
  expect(after.hasChanges).toBe(false);
  expect(changes(renamed)).toEqual(['update jobs.daily name (files)']);
  expect(world.remotes.get('jobs.daily')).toMatchObject({ timeout_seconds: 70, tags: { cost: '1' } });
  expect(changes(changed)).toEqual(['update jobs.daily timeout_seconds (files)']);
});

test('a list without identities is adopted whole', async () => {
  const many = JOB.replace(
    'notebook_task: {notebook_path: ./load.py, base_parameters: {a: x}}',
    'spark_python_task: {python_file: "dbfs:/load.py", parameters: [a, b, c]}',
  );
  const world = await aDeployedWorld(many);
  const remote = world.remotes.get('jobs.daily') as { tasks: { spark_python_task: object }[] };
  Object.assign(remote.tasks[0]?.spark_python_task ?? {}, { parameters: ['b'] });

  world.apply(await world.plan(many, { drift: 'adopt' }));

  expect((await world.plan(many)).hasChanges).toBe(false);
  expect((await world.plan(many.replace('[a, b, c]', '[a, b]'))).actions[0]?.action).toBe('update');
});

test('a record without documents blames nobody', async () => {
  const world = await aDeployedWorld(JOB);
  const recorded = world.state?.resources['jobs.daily'];
  if (recorded) recorded.document = null;
  Object.assign(world.remotes.get('jobs.daily') ?? {}, { timeout_seconds: 70 });

  expect(changes(await world.plan(JOB))).toEqual(['update jobs.daily timeout_seconds (files)']);
});

test('what cannot be changed in place is made anew, and what a hand deleted is made again', async () => {
  const world = await aDeployedWorld(SCHEMA);
  world.remotes.delete('schemas.raw');

  const plan = await world.plan(SCHEMA.replace('MANAGED', 'EXTERNAL, storage_location: /data'));

  expect(changes(plan)).toEqual([
    'create schemas.raw',
    'recreate volumes.landing storage_location (files) volume_type (files)',
  ]);
  expect(plan.actions[0]?.isLost).toBe(true);
});

test('what is left out goes, those that refer to others first', async () => {
  const world = await aDeployedWorld(SCHEMA);

  const plan = await world.plan(JOB);

  expect(changes(plan)).toEqual(['create jobs.daily', 'delete volumes.landing', 'delete schemas.raw']);
});

test('a reference is made before what refers to it, whatever their kinds', async () => {
  const yaml = `bundle: {name: shop}
resources:
  clusters:
    shared: {cluster_name: "for \${resources.jobs.daily.id} at \${resources.jobs.daily.url}", spark_version: "17", num_workers: 0}
  jobs:
    daily: {name: daily, tasks: [{task_key: load, notebook_task: {notebook_path: ./load.py}}]}
`;
  const world = aPlannedWorld();

  const plan = await world.plan(yaml);
  world.apply(plan);

  expect(changes(plan)).toEqual(['create jobs.daily', 'create clusters.shared']);
  expect(world.remotes.get('clusters.shared')).toMatchObject({
    cluster_name: 'for 100 at http://127.0.0.1:8080/jobs/100',
  });
});

test('permissions that do nothing are said once', async () => {
  const given = 'permissions: [{level: CAN_VIEW, user_name: a@example.com}]';
  const world = aPlannedWorld();
  const scope = 'resources: {secret_scopes: {s: {name: s, permissions: [{level: READ, group_name: users}]}}}';

  const { prepared } = await world.plan(
    JOB.replace('name: daily', `name: daily\n      ${given}`).concat(given),
  );
  const scopes = await world.plan(`bundle: {name: shop}\n${scope}\n`);

  expect(findIdlePermissions(prepared.bundle).map(formatProblem)).toEqual([
    expect.stringMatching(/^warning: databricks\.yml:11:\d+: permissions and grants are kept/) as string,
  ]);
  expect(findIdlePermissions(scopes.prepared.bundle)).toEqual([]);
  expect(scopes.actions[0]?.document).toMatchObject({
    permissions: [{ principal: 'users', permission: 'READ' }],
  });
});

test('what may not be destroyed is not made anew', async () => {
  const kept = SCHEMA.replace(
    'volume_type: MANAGED',
    'volume_type: MANAGED, lifecycle: {prevent_destroy: true}',
  );
  const world = await aDeployedWorld(kept);

  await expect(world.plan(kept.replace('schema_name: raw', 'schema_name: other'))).rejects.toThrow(
    /databricks\.yml:6:5: volume landing would be deleted and made anew, which its lifecycle prevents: schema_name/,
  );
  expect((await world.plan(kept.replace('name: landing,', 'name: arrivals,'))).actions[1]?.action).toBe(
    'update',
  );
});

test('what lies in a catalog or schema that is renamed moves with it, and what refers to it follows', async () => {
  const yaml = (catalog: string, schema: string) => `bundle: {name: shop}
resources:
  catalogs: {lake: {name: ${catalog}}}
  schemas: {raw: {name: ${schema}, catalog_name: "\${resources.catalogs.lake.name}"}}
  volumes:
    landing: {name: landing, catalog_name: ${catalog}, schema_name: ${schema}, volume_type: MANAGED}
  clusters:
    shared: {cluster_name: "reads \${resources.volumes.landing.volume_path}", spark_version: "17", num_workers: 0}
`;
  const world = aPlannedWorld();
  // Of these kinds the name is the id.
  const remember = () => {
    for (const [resource, { document }] of Object.entries(world.state?.resources ?? {})) {
      const { catalog_name: catalog, schema_name: schema, name } = (document ?? {}) as Record<string, string>;
      const id = [catalog, schema, name].filter((part) => part !== undefined).join('.');
      if (world.state && !resource.startsWith('clusters.'))
        Object.assign(world.state.resources[resource] ?? {}, { id });
    }
  };
  world.apply(await world.plan(yaml('lake', 'raw')));
  remember();
  Object.assign(world.remotes.get('clusters.shared') ?? {}, {
    cluster_name: 'reads /Volumes/lake/raw/landing',
  });

  const plan = await world.plan(yaml('sea', 'bronze'));

  expect(
    plan.actions.map(({ action, resource, id, differences }) => [
      `${action} ${resource} ${id}`,
      ...differences.map(({ path, after }) => `${path} ${after}`),
    ]),
  ).toEqual([
    ['update catalogs.lake lake', 'name sea'],
    ['update schemas.raw sea.raw', 'name bronze'],
    ['unchanged volumes.landing sea.bronze.landing'],
    ['update clusters.shared 103', 'cluster_name reads /Volumes/sea/bronze/landing'],
  ]);
});
