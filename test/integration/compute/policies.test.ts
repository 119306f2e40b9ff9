/** Policies over the API: what they say, and that clusters and jobs keep to them. */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser } from '../secrets/support.ts';
import { aSpec, startedCluster, waitForEnd, waitForState } from './support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.client.workspaceImport({
    path: '/Shared/step.py',
    content: Buffer.from('print(1)').toString('base64'),
    format: 'AUTO',
    overwrite: true,
  });
});
afterAll(() => server.dispose());

let made = 0;

async function aPolicy(definition: object, fields: object = {}): Promise<string> {
  made += 1;
  const name = `policy ${made}`;
  const policy = { name, definition: JSON.stringify(definition), ...fields };
  return (await server.client.clusterPoliciesCreate(policy)).policy_id;
}

const aTask = (new_cluster: object) => ({
  task_key: 'step',
  spark_python_task: { python_file: '/Shared/step.py' },
  new_cluster: { ...aSpec, ...new_cluster },
});

describe('a policy', () => {
  test('is shown as it was written, with who made it, and goes', async () => {
    const { client } = server;
    const policy_id = await aPolicy(
      { num_workers: { type: 'range', maxValue: 4 } },
      { max_clusters_per_user: '3' },
    );

    const shown = await client.clusterPoliciesGet({ policy_id });
    await client.clusterPoliciesEdit({
      policy_id,
      name: 'renamed',
      description: 'for jobs',
      definition: '{}',
    });
    const { policies = [] } = await client.clusterPoliciesList({ sort_column: 'POLICY_NAME' });
    await client.clusterPoliciesDelete({ policy_id });

    expect(shown).toMatchObject({
      policy_id: expect.stringMatching(/^[0-9A-F]{16}$/),
      definition: '{"num_workers":{"type":"range","maxValue":4}}',
      max_clusters_per_user: 3,
      creator_user_name: 'admin',
      is_default: false,
    });
    const edited = policies.find((policy) => policy.policy_id === policy_id);
    expect(edited).toMatchObject({ name: 'renamed', description: 'for jobs', definition: '{}' });
    expect(edited).not.toHaveProperty('max_clusters_per_user');
    await expect(client.clusterPoliciesGet({ policy_id })).rejects.toMatchObject({
      code: 'RESOURCE_DOES_NOT_EXIST',
    });
  });

  test('may begin from a family and override its rules', async () => {
    const { policy_families: families } = await server.client.policyFamiliesList({});
    const policy_id = await aPolicy(
      {},
      {
        definition: undefined,
        policy_family_id: 'job-cluster',
        policy_family_definition_overrides: '{"num_workers": {"type": "fixed", "value": 1}}',
      },
    );

    const { definition } = await server.client.clusterPoliciesGet({ policy_id });

    expect(families.map(({ policy_family_id: id }) => id)).toContain('job-cluster');
    expect(JSON.parse(definition)).toMatchObject({
      cluster_type: { type: 'fixed', value: 'job' },
      num_workers: { type: 'fixed', value: 1 },
    });
  });

  test.each<[string, object, string, RegExp]>([
    [
      'a bad definition',
      { definition: '{"a": {}}' },
      'INVALID_PARAMETER_VALUE',
      /definition: a: 'a' is no attribute/,
    ],
    ['a name that is taken', { name: 'taken' }, 'RESOURCE_ALREADY_EXISTS', /'taken' already exists/],
    ['no name', { name: undefined }, 'INVALID_PARAMETER_VALUE', /^name: is missing/],
    ['a long name', { name: 'n'.repeat(101) }, 'INVALID_PARAMETER_VALUE', /^name: /],
    [
      'a library of no kind',
      { libraries: [{}] },
      'INVALID_PARAMETER_VALUE',
      /libraries\[0\]: a library is of one kind/,
    ],
    ['a zero byte', { name: 'a\0b' }, 'INVALID_PARAMETER_VALUE', /contains a character/],
    ['no clusters at all', { max_clusters_per_user: 0 }, 'INVALID_PARAMETER_VALUE', /^max_clusters_per_user/],
    [
      'an unknown family',
      { definition: undefined, policy_family_id: 'x' },
      'INVALID_PARAMETER_VALUE',
      /no policy family x/,
    ],
    [
      'a family and a definition',
      { policy_family_id: 'job-cluster' },
      'INVALID_PARAMETER_VALUE',
      /none of its own/,
    ],
    [
      'overrides of nothing',
      { policy_family_definition_overrides: '{}' },
      'INVALID_PARAMETER_VALUE',
      /no family to override/,
    ],
  ])('with %s is refused', async (_what, fields, code, message) => {
    await server.client.clusterPoliciesCreate({ name: 'taken', definition: '{}' }).catch(() => undefined);

    const policy = { name: `new ${_what}`, definition: '{}', ...fields };
    const error = await server.client.clusterPoliciesCreate(policy).catch((caught) => caught);

    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('is made by administrators, and seen by all', async () => {
    const policy_id = await aPolicy({});
    const { client } = await addUser(server, 'ada');

    await expect(client.clusterPoliciesCreate({ name: 'own' })).rejects.toMatchObject({
      code: 'PERMISSION_DENIED',
    });
    expect(await client.clusterPoliciesGet({ policy_id })).toMatchObject({ policy_id });
  });
});

describe('an all-purpose cluster', () => {
  test('gets what is fixed, and keeps to the rest when it is made, edited and resized', async () => {
    const { client } = server;
    const { policy_id } = await client.clusterPoliciesCreate(smallJobsOnly);
    const spec = { ...aSpec, policy_id, node_type_id: 'i3.large' };

    const cluster_id = await startedCluster(server, spec);
    const attempts = [
      () => client.clustersCreate({ ...spec, node_type_id: 'r5.4xlarge' }),
      () => client.clustersEdit({ ...spec, cluster_id, num_workers: 10 }),
      () => client.clustersResize({ cluster_id, num_workers: 10 }),
      () =>
        client.clustersUpdate({
          cluster_id,
          update_mask: 'autoscale',
          cluster: { autoscale: { max_workers: 9 } },
        }),
    ];
    const refusals = await Promise.all(attempts.map((attempt) => attempt().catch((error) => error)));

    expect(await client.clustersGet({ cluster_id })).toMatchObject({
      autotermination_minutes: 10,
      custom_tags: { 'cost-center': 'data-engineering' },
      policy_id,
    });
    expect(refusals.map(({ code }) => code)).toEqual(Array(4).fill('INVALID_PARAMETER_VALUE'));
    const of = `of policy 'small jobs only', ${policy_id})`;
    expect(refusals.map(({ message }) => message)).toEqual([
      `Cluster validation error: node_type_id: the value must be one of "i3.large", "i3.xlarge", got "r5.4xlarge" (rule allowlist ${of}`,
      `Cluster validation error: num_workers: the value must be at most 4, got 10 (rule range ${of}`,
      `Cluster validation error: num_workers: the value must be at most 4, got 10 (rule range ${of}`,
      expect.stringContaining('autoscale.max_workers: the value must be at most 4, got 9 (rule range'),
    ]);
  });

  test('whose policy was deleted can still run, and cannot be edited', async () => {
    const { client } = server;
    const policy_id = await aPolicy({});
    const cluster_id = await startedCluster(server, { policy_id });
    await client.clustersDelete({ cluster_id });
    await waitForState(server, cluster_id, 'TERMINATED');
    await client.clusterPoliciesDelete({ policy_id });

    await client.clustersStart({ cluster_id });
    await waitForState(server, cluster_id, 'RUNNING');

    await expect(client.clustersEdit({ ...aSpec, cluster_id, policy_id })).rejects.toThrow(
      `policy_id: Cluster policy ${policy_id} does not exist`,
    );
  });

  test('is one too many for its user beyond max_clusters_per_user, also when they are asked for at once', async () => {
    const policy_id = await aPolicy({}, { max_clusters_per_user: 2 });
    const { client } = await addUser(server, 'grace');
    const create = (as: typeof client) => as.clustersCreate({ ...aSpec, policy_id });

    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => create(client)));
    const own = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    const { cluster_id } = await create(server.client);
    await client.clustersDelete({ cluster_id: own[0]?.value.cluster_id ?? '' });
    const next = await create(client);

    expect(own).toHaveLength(2);
    expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason).toMatchObject({
      code: 'INVALID_PARAMETER_VALUE',
      message: expect.stringContaining('allows 2 active clusters for each user (max_clusters_per_user)'),
    });
    for (const id of [cluster_id, next.cluster_id]) await server.client.clustersDelete({ cluster_id: id });
  });
});

describe('a job', () => {
  test('is refused when it is saved, with the place of the cluster', async () => {
    const policy_id = await aPolicy({ num_workers: { type: 'range', maxValue: 4 } });
    const bad = { policy_id, num_workers: 10 };
    const { client } = server;
    const { job_id } = await client.jobsCreate({ name: 'ok', tasks: [aTask({ policy_id })] });
    const shared = [{ job_cluster_key: 'main', new_cluster: { ...aSpec, ...bad } }];
    const task = { ...aTask({}), new_cluster: undefined, job_cluster_key: 'main' };

    const refusals = await Promise.all(
      [
        client.jobsCreate({ tasks: [aTask(bad)] }),
        client.jobsReset({ job_id, new_settings: { tasks: [task], job_clusters: shared } }),
        client.jobsUpdate({ job_id, new_settings: { tasks: [aTask(bad)] } }),
        client.runsSubmit({ tasks: [aTask(bad)] }),
        client.jobsCreate({ tasks: [aTask({ policy_id: 'NONE' })] }),
      ].map((request: Promise<unknown>) => request.catch((error) => error.message)),
    );

    expect(refusals).toEqual([
      expect.stringContaining('tasks[0].new_cluster.num_workers: the value must be at most 4, got 10'),
      expect.stringContaining('job_clusters[0].new_cluster.num_workers: the value must be at most 4'),
      expect.stringContaining('tasks[0].new_cluster.num_workers'),
      expect.stringContaining('tasks[0].new_cluster.num_workers'),
      expect.stringContaining('tasks[0].new_cluster.policy_id: Cluster policy NONE does not exist'),
    ]);
    expect((await client.jobsGet({ job_id })).settings.name).toBe('ok');
  });

  test('runs on a cluster as its policy completes it, and keeps the document that was sent', async () => {
    const { client } = server;
    const policy_id = await aPolicy({
      'spark_conf.spark.sql.ansi.enabled': { type: 'fixed', value: false },
      autotermination_minutes: { type: 'fixed', value: 10 },
    });
    const task = aTask({ policy_id });
    const { job_id } = await client.jobsCreate({ tasks: [task] });

    const { run_id } = await client.jobsRunNow({ job_id });
    const run = await waitForEnd(server, run_id);

    expect(run.status.termination_details?.code).toBe('SUCCESS');
    const { clusters } = await client.clustersList({ 'filter_by.policy_id': policy_id });
    expect(clusters).toEqual([
      expect.objectContaining({ spark_conf: { 'spark.sql.ansi.enabled': 'false' }, cluster_source: 'JOB' }),
    ]);
    expect((await client.jobsGet({ job_id })).settings.tasks?.[0]?.new_cluster).toEqual(task.new_cluster);
  });

  test('brings the libraries of the policy to its tasks, and to those on an all-purpose cluster', async () => {
    const { client } = server;
    const wanted = { pypi: { package: 'six==1.17.0' } };
    const policy_id = await aPolicy({}, { libraries: [wanted] });
    const cluster_id = await startedCluster(server, { policy_id });
    const { new_cluster: _, ...onCluster } = {
      ...aTask({}),
      task_key: 'named',
      existing_cluster_id: cluster_id,
    };

    const { run_id } = await client.runsSubmit({
      tasks: [
        aTask({ policy_id }),
        onCluster,
        { ...onCluster, task_key: 'none', existing_cluster_id: 'default' },
      ],
    });
    const run = await waitForEnd(server, run_id);

    expect(run.status.termination_details?.code).toBe('SUCCESS');
    const told = (run.tasks ?? []).map(({ task_key, run_id: attempt }) => {
      const file = path.join(
        server.stateDir,
        'data/attempts',
        String(run_id),
        String(attempt),
        'attempt.json',
      );
      return [task_key, JSON.parse(fs.readFileSync(file, 'utf8')).libraries.length];
    });
    expect(Object.fromEntries(told)).toEqual({ step: 1, named: 1, none: 0 });
    await client.clustersPermanentDelete({ cluster_id });
  });

  test('fails with the rule when its policy became stricter or went', async () => {
    const { client } = server;
    const policy_id = await aPolicy({});
    const { job_id } = await client.jobsCreate({ tasks: [aTask({ policy_id })] });
    const runNow = async () => waitForEnd(server, (await client.jobsRunNow({ job_id })).run_id);

    const definition = '{"num_workers": {"type": "fixed", "value": 0}}';
    await client.clusterPoliciesEdit({ policy_id, name: 'strict', definition });
    const stricter = await runNow();
    await client.clusterPoliciesDelete({ policy_id });
    const gone = await runNow();

    const ends = [stricter, gone].map(({ tasks }) => tasks?.[0]?.status?.termination_details);
    expect(ends).toEqual([
      expect.objectContaining({
        code: 'CLUSTER_ERROR',
        message: expect.stringContaining(
          `INVALID_PARAMETER_VALUE: Cluster validation error: num_workers: the value must be 0, got 1 (rule fixed of policy 'strict', ${policy_id})`,
        ),
      }),
      expect.objectContaining({
        code: 'CLUSTER_ERROR',
        message: expect.stringContaining(`Cluster policy ${policy_id} does not exist`),
      }),
    ]);
  });
});

const smallJobsOnly = {
  name: 'small jobs only',
  definition: JSON.stringify({
    node_type_id: { type: 'allowlist', values: ['i3.large', 'i3.xlarge'] },
    'autoscale.max_workers': { type: 'range', maxValue: 4 },
    num_workers: { type: 'range', maxValue: 4 },
    autotermination_minutes: { type: 'fixed', value: 10, hidden: true },
    'custom_tags.cost-center': { type: 'fixed', value: 'data-engineering' },
  }),
};
