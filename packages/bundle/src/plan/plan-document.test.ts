import { expect, test } from 'vitest';
import { aPlannedWorld } from '../testing/planned-world.ts';
import { formatPlan } from './format-plan.ts';
import { findPlanChanges, PlanDocument, toPlanDocument } from './plan-document.ts';

const yaml = (extra = '') => `bundle: {name: shop}
resources:
  jobs:
    daily:
      name: daily
      ${extra}
      tasks:
        - task_key: load
          notebook_task: {notebook_path: ./load.py}
          new_cluster:
            num_workers: 2
            spark_env_vars: {DB_PASSWORD: hunter2, DB_TOKEN: "{{secrets/a/b}}"}
  volumes:
    landing: {name: landing, catalog_name: main, schema_name: raw, volume_type: MANAGED}
`;
const format = { paint: (text: string) => text };
const store = (plan: Parameters<typeof toPlanDocument>[0]) =>
  PlanDocument.parse(JSON.parse(JSON.stringify(toPlanDocument(plan))));

test('people read one line for a resource and one for each field, and never a secret', async () => {
  const world = aPlannedWorld();
  world.apply(await world.plan(yaml()));
  Object.assign(world.remotes.get('jobs.daily') ?? {}, { timeout_seconds: 5 });
  const changed = yaml('description: many words of it')
    .replace('num_workers: 2', 'num_workers: 4')
    .replace('hunter2', 'hunter3')
    .replace('schema_name: raw', 'schema_name: raws');

  const text = formatPlan(await world.plan(changed), format);

  expect(text).toBe(`-/+ recreate volumes.landing "main.raws.landing", id 100
    schema_name cannot be changed in place
    lost with it: all its files, unless it is external
    ~ schema_name: "raw" → "raws"
~ update jobs.daily "daily", id 101
    somebody changed timeout_seconds by hand since the last deployment; this puts it back
    + description: "many words of it"
    ~ tasks[load].new_cluster.num_workers: 2 → 4
    ~ tasks[load].new_cluster.spark_env_vars.DB_PASSWORD: "[REDACTED]" → "[REDACTED]"
    - timeout_seconds: 5
+ upload 1 file

plan: 1 to update, 1 to recreate`);
});

test('a plan that is kept holds as long as nothing has moved', async () => {
  const world = aPlannedWorld();
  const first = store(await world.plan(yaml()));

  expect(findPlanChanges(first, await world.plan(yaml()))).toEqual([]);
  expect(JSON.stringify(first)).not.toContain('hunter2');
  expect(JSON.stringify(first)).toContain('{{secrets/a/b}}');
});

test('a plan that is kept falls with another deployment, a change by hand, another file, another value', async () => {
  const world = aPlannedWorld();
  world.apply(await world.plan(yaml()));
  const kept = store(await world.plan(yaml()));

  const other = yaml('description: x');
  expect(findPlanChanges(kept, await world.plan(other))).toEqual([
    'local files that changed since: databricks.yml',
  ]);
  const remote = world.remotes.get('jobs.daily') ?? {};
  Object.assign(remote, { timeout_seconds: 5 });
  expect(findPlanChanges(kept, await world.plan(yaml()))).toEqual([
    'changed on the server since: jobs.daily',
  ]);
  delete remote.timeout_seconds;
  world.apply(await world.plan(yaml()));
  expect(findPlanChanges(kept, await world.plan(yaml()))).toEqual([
    'somebody has deployed since: version 2, planned on 1',
  ]);
  const later = store(await world.plan(yaml()));
  expect(findPlanChanges(later, await world.plan(yaml(), { drift: 'adopt' }))).toEqual([]);
});

test('a secret that changes is another value, though nobody sees it', async () => {
  const world = aPlannedWorld();
  const value = (hue: string) =>
    `bundle: {name: shop}\nvariables: {hue: {default: ${hue}}}\nresources: {jobs: {daily: {name: daily, tags: {token: "\${var.hue}"}}}}\n`;
  const kept = store(await world.plan(value('red')));
  const plan = await world.plan(value('blue'));
  const sameFiles = { ...kept, base: store(plan).base };

  expect(findPlanChanges(sameFiles, plan)).toEqual([
    'settings that the bundle gives otherwise now: jobs.daily',
  ]);
});

test('what was set by hand and stays is said with what to write in the file', async () => {
  const world = aPlannedWorld();
  const text = yaml('tags: {team: data}');
  world.apply(await world.plan(text));
  Object.assign(world.remotes.get('jobs.daily') ?? {}, { timeout_seconds: 5, tags: { hue: 'red' } });

  const lines = formatPlan(await world.plan(text, { drift: 'adopt' }), format).split('\n');

  const stays = 'was set by hand and stays; to keep it for good,';
  expect(lines.slice(0, 4)).toEqual([
    '= unchanged jobs.daily "daily", id 101',
    `    = tags.hue: "red" ${stays} write it in the file`,
    `    = tags.team: nothing ${stays} take "data" out of the file`,
    `    = timeout_seconds: 5 ${stays} write it in the file`,
  ]);
});

test('long values that begin alike are shown from where they differ', async () => {
  const world = aPlannedWorld();
  const words = 'a description of some length that says what the job is for, ';
  world.apply(await world.plan(yaml(`description: "${words}first"`)));

  const text = formatPlan(await world.plan(yaml(`description: "${words}then"`)), format);

  expect(text).toContain('~ description: …job is for, first" → …job is for, then"\n');
});
