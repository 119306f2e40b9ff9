/** Hosts that wait for jobs which are expected: whom they are for, who takes them, and what they may cost. */
import type { HostStatus } from '@headrace/worker';
import { createFakeBackend } from '@headrace/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { noDefaultSettings, resolveCluster } from '../../../packages/server/src/compute/resolve-cluster.ts';
import {
  createPreparation,
  type Preparation,
} from '../../../packages/server/src/prepared-hosts/preparation.ts';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { aSpec, waitForEnd } from './support.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

const aTask = (new_cluster: object = aSpec) => ({
  task_key: 'step',
  spark_python_task: { python_file: '/Shared/step.py', parameters: ['--', '{}'] },
  new_cluster: { ...aSpec, ...new_cluster },
});

/** Fires once. */
function scheduledAt(ms: number, fields: object = {}) {
  const at = new Date(ms);
  const day = `${at.getUTCDate()} ${at.getUTCMonth() + 1} ? ${at.getUTCFullYear()}`;
  const quartz_cron_expression = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} ${day}`;
  return { schedule: { quartz_cron_expression, timezone_id: 'UTC', ...fields } };
}

describe('what is prepared', () => {
  let server: TestServer;
  let home: string;
  let nowMs: number;
  beforeAll(async () => {
    server = await startTestServer({ config: { preparedMemoryMb: 0 } });
    const { rows } = await server.database.pool.query('select worker_id from workers');
    home = rows[0].worker_id;
  });
  afterAll(() => server.dispose());

  /** As a server with this budget and clock has it. */
  function prepare(preparedMemoryMb = 700): Preparation {
    const { services } = server;
    const config = { ...services.config, preparedMemoryMb };
    const facts = { cores: 4, defaultCluster: noDefaultSettings };
    return createPreparation({ ...services, clock: { nowMs: () => nowMs }, config }, () => facts);
  }

  async function ordersOf(preparation: Preparation, hosts: readonly HostStatus[] = [], workerId = home) {
    await preparation.loop?.turn();
    const { start, stop } = await preparation.order(workerId, hosts);
    return { start: start.map(({ clusterName }) => clusterName), stop: stop.map(({ hostKey }) => hostKey) };
  }

  async function startedHost(preparation: Preparation): Promise<HostStatus> {
    await preparation.loop?.turn();
    const { start } = await preparation.order(home, []);
    const { clusterId = '', hostKey = '' } = start[0] ?? {};
    return { clusterId, hostKey, state: 'running', sparkState: 'ready', pid: 1, message: '' };
  }

  /** Each test has a day of its own, long after today: what others made is over. */
  let days = 0;
  async function aJob(settings: object): Promise<number> {
    days += 1;
    nowMs = Date.parse('2040-01-02T06:00:00Z') + days * 30 * dayMs;
    const { job_id } = await server.client.jobsCreate({ name: `job ${days}`, tasks: [aTask()], ...settings });
    await server.database.pool.query('update jobs set created_at_ms = $2 where job_id = $1', [
      job_id,
      nowMs - 20 * dayMs,
    ]);
    return job_id;
  }
  const inMinutes = (minutes: number) =>
    Date.parse('2040-01-02T06:00:00Z') + (days + 1) * 30 * dayMs + minutes * minuteMs;

  async function startedByClient(job_id: number, startsMs: readonly number[]): Promise<void> {
    for (const atMs of startsMs) {
      const { run_id } = await server.client.jobsRunNow({ job_id });
      await server.database.pool.query('update runs set created_at_ms = $2 where run_id = $1', [
        run_id,
        atMs,
      ]);
    }
  }

  test('a host for the first tasks of a job that its schedule starts soon, and by one worker only', async () => {
    const job_id = await aJob(scheduledAt(inMinutes(1)));
    const preparation = prepare();

    expect(await ordersOf(preparation)).toEqual({
      start: [`the schedule of job 'job ${days}' (${job_id})`],
      stop: [],
    });
    expect(await ordersOf(preparation, [], 'another worker')).toEqual({ start: [], stop: [] });
    expect(await ordersOf(prepare(0))).toEqual({ start: [], stop: [] });
  });

  test('nothing for a schedule that is paused or far', async () => {
    await aJob(scheduledAt(inMinutes(1), { pause_status: 'PAUSED' }));
    expect(await ordersOf(prepare())).toEqual({ start: [], stop: [] });

    await aJob(scheduledAt(inMinutes(10)));
    expect(await ordersOf(prepare())).toEqual({ start: [], stop: [] });
  });

  test('what clients start at about the same minute of the day', async () => {
    const job_id = await aJob({});
    const at = nowMs + minuteMs;
    await startedByClient(job_id, [at - 7 * dayMs, at - 3 * dayMs + minuteMs, at - 2 * dayMs]);

    expect(await ordersOf(prepare())).toEqual({
      start: [`the daily start of job 'job ${days}' (${job_id})`],
      stop: [],
    });
  });

  test('nothing more once the run has begun, though no loop has looked since', async () => {
    const job_id = await aJob(scheduledAt(inMinutes(1)));
    const preparation = prepare();
    await preparation.loop?.turn();
    nowMs += 61_000;
    await startedByClient(job_id, [nowMs]);

    const { start } = await preparation.order(home, []);

    expect(start).toEqual([]);
  });

  test('the budget is kept: what comes later is told why it has none, and a host that is to go goes first', async () => {
    const job_id = await aJob({
      ...scheduledAt(inMinutes(1)),
      tasks: [
        aTask(),
        { ...aTask({ spark_conf: { 'spark.sql.ansi.enabled': 'false' } }), task_key: 'other' },
      ],
    });
    const preparation = prepare(1_000);
    const host = await startedHost(preparation);

    expect(await ordersOf(preparation, [host])).toEqual({ start: [], stop: [] });
    expect(preparation.placeFor(job_id)).toMatchObject({
      refusal: 'the 1000 MB of HEADRACE_PREPARED_MEMORY_MB are kept for jobs that come earlier',
    });
    const stranger = { ...host, hostKey: 'stranger-7' };
    expect(await ordersOf(prepare(5_000), [host, stranger])).toEqual({ start: [], stop: ['stranger-7'] });
    expect((await ordersOf(prepare(5_000), [host])).start).toHaveLength(1);
  });

  test('the driver of the shared cluster, where its host is there and has none', async () => {
    const job_id = await aJob({
      ...scheduledAt(inMinutes(1)),
      tasks: [{ ...aTask(), new_cluster: undefined }],
    });
    const { rows } = await server.database.pool.query('select owner_id from jobs where job_id = $1', [
      job_id,
    ]);
    const run = { runId: 0, runAs: { id: Number(rows[0].owner_id), userName: '' } };
    const facts = { cores: 4, defaultCluster: noDefaultSettings };
    const { clusterId, hostKey } = resolveCluster({ task_key: '' }, {}, run, facts).assignment;
    const host = { clusterId, hostKey, state: 'running', sparkState: 'none', pid: 1, message: '' } as const;
    const preparation = prepare();
    await preparation.loop?.turn();

    const early = await preparation.order(home, [host]);
    const again = await preparation.order(home, [{ ...host, sparkState: 'starting' }]);
    const without = await preparation.order(home, []);

    expect(early).toEqual({ start: [], stop: [], warm: [{ hostKey, unusedMs: 4 * minuteMs }] });
    expect(again).toEqual({ start: [], stop: [] });
    expect(without).toMatchObject({ start: [{ sparkConf: {} }], stop: [] });
  });

  test('what nobody took ends three minutes after the schedule', async () => {
    await aJob(scheduledAt(inMinutes(1)));
    const preparation = prepare();
    const host = await startedHost(preparation);

    nowMs += 4 * minuteMs;
    expect(await ordersOf(preparation, [host])).toEqual({ start: [], stop: [] });
    nowMs += 1_000;
    expect(await ordersOf(preparation, [host])).toEqual({ start: [], stop: [host.hostKey] });
  });

  test.each([
    [
      'init scripts',
      { init_scripts: [{ workspace: { destination: '/a.sh' } }] },
      'the cluster has init scripts',
    ],
    ['variables', { spark_env_vars: { A: 'b' } }, 'the cluster has spark_env_vars'],
    [
      'secrets',
      { spark_conf: { 'spark.x': '{{secrets/a/b}}' } },
      'the configuration of the cluster has secrets',
    ],
  ])('nothing for a cluster with %s, which is told so', async (_what, fields, refusal) => {
    const job_id = await aJob({ ...scheduledAt(inMinutes(1)), tasks: [aTask(fields)] });
    const preparation = prepare();

    expect(await ordersOf(preparation)).toEqual({ start: [], stop: [] });
    expect(preparation.placeFor(job_id)).toMatchObject({ refusal });
    expect(preparation.placeFor(-1)).toEqual(expect.not.objectContaining({ refusal: expect.anything() }));
  });
});

describe('a server', () => {
  const backend = createFakeBackend({ clock: { nowMs: () => Date.now() } });
  const spares = () => [...backend.hosts.keys()].filter((key) => /-\d+$/.test(key));
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ backend, config: { preparedMemoryMb: 800 } });
  });
  afterAll(() => server.dispose());

  test('gives the host to the run that it waits for, whose cluster says so', async () => {
    const { client } = server;
    // Soon enough to be prepared for, and so late that it does not fire before the end of this test.
    const job = { name: 'nightly', tasks: [aTask()], ...scheduledAt(Date.now() + 110_000) };
    const { job_id } = await client.jobsCreate(job);
    await waitUntil('a host waits', () => spares().length === 1, 50_000);
    server = await server.restart();
    await waitUntil('it waits still', () => spares().length === 1, 50_000);
    await waitUntil('the status shows it', async () => {
      const { hosts } = await server.client.status({});
      return hosts.some(({ message }) => message === 'it waits for a job that is expected within minutes');
    });

    const { run_id } = await client.jobsRunNow({ job_id });
    const run = await waitForEnd(server, run_id);

    const cluster_id = run.tasks?.[0]?.cluster_instance?.cluster_id ?? '';
    const { events } = await server.client.clustersEvents({ cluster_id, event_types: ['DRIVER_HEALTHY'] });
    expect(events.map(({ details }) => String(details.driver_state_message))).toEqual([
      expect.stringContaining(
        `it took a waiting host, prepared for the schedule of job 'nightly' (${job_id})`,
      ),
    ]);
  });
});
