/** A driver that falls silent, on fake hosts: what the cluster's events and `runs why` tell. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFakeBackend } from '../../../packages/worker/src/hosts/fake/fake-backend.ts';
import type { HostBackend } from '../../../packages/worker/src/hosts/host-backend.ts';
import type { FromHost, SparkState } from '../../../packages/worker/src/hosts/host-protocol.ts';
import { waitUntil } from '../../support/census.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { eventTypes, startedCluster } from './support.ts';

let server: TestServer;
/** As the newest host would. */
let say: (frame: FromHost) => void;
beforeAll(async () => {
  const fake = createFakeBackend({ clock: { nowMs: () => Date.now() } });
  const backend: HostBackend = {
    ...fake,
    async start(cluster, options) {
      const connection = await fake.start(cluster, options);
      return {
        ...connection,
        listen(listener) {
          say = listener;
          connection.listen(listener);
        },
      };
    },
  };
  server = await startTestServer({ backend });
});
afterAll(() => server.dispose());

function saySpark(state: SparkState, message: string): void {
  say({ op: 'spark', state, message, jvm_pid: 7 });
}

async function expectEvents(cluster_id: string, types: readonly string[]): Promise<void> {
  await waitUntil(
    `events ${types.join()}`,
    async () => (await eventTypes(server, cluster_id)).length === types.length,
  );
  expect(await eventTypes(server, cluster_id)).toEqual(types);
}

test('a driver that does not answer is told of, once, and so is that it does again', async () => {
  const cluster_id = await startedCluster(server);
  const { run_id } = await server.client.runsSubmit({
    tasks: [
      {
        task_key: 'long',
        existing_cluster_id: cluster_id,
        spark_python_task: { python_file: '/a.py', parameters: ['--fake={"kind":"hang"}'] },
      },
    ],
  });
  const why = async () => (await server.client.runsWhy({ run_id, task_key: 'long' })).sentence;
  await waitUntil('the task runs', async () => (await why()).includes('is running since'));
  const silent = 'the Spark driver (process 7) does not answer since 3 o’clock: it is late.';

  saySpark('ready', 'Spark is ready');
  saySpark('not_responding', silent);
  saySpark('not_responding', silent);
  await expectEvents(cluster_id, ['CREATING', 'RUNNING', 'DRIVER_NOT_RESPONDING']);
  expect(await why()).toMatch(
    /^Task 'long' is running since \S+ on worker \S+, but the Spark driver .* it is late\.$/,
  );

  saySpark('ready', 'Spark is ready');
  const healthy = ['CREATING', 'RUNNING', 'DRIVER_NOT_RESPONDING', 'DRIVER_HEALTHY'];
  await expectEvents(cluster_id, healthy);
  expect(await why()).not.toContain('but');

  saySpark('unknown', 'the host process 8 does not answer');
  await expectEvents(cluster_id, [...healthy, 'DRIVER_NOT_RESPONDING']);
  expect(await why()).toContain(', but the host process 8 does not answer.');
  saySpark('failed', 'The Spark driver (process 7) did not answer for 10 min and was ended.');
  await expectEvents(cluster_id, [...healthy, 'DRIVER_NOT_RESPONDING', 'DRIVER_UNAVAILABLE']);
  saySpark('ready', 'Spark is ready');
  saySpark('failed', 'The Spark driver was killed.');
  const { events } = await server.client.clustersEvents({ cluster_id, order: 'ASC' });
  expect(events[2]).toMatchObject({ details: { driver_state_message: silent } });
});
