import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { InstancePoolDocument } from '@headrace/api';
import { afterEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from '../../testing/stub-server.ts';

let server: StubServer | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});

async function call(args: readonly string[], handlers: StubHandlers, world = {}) {
  server = await startStubServer(handlers);
  return callCli(args, { environment: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' }, ...world });
}

const seed: InstancePoolDocument = {
  instance_pool_id: 'pool-seed-01',
  instance_pool_name: 'seed pool',
  node_type_id: 'i3.xlarge',
  min_idle_instances: 2,
  max_capacity: 10,
  headrace: { spark_conf: { 'spark.executor.memory': '2g' } },
  state: 'ACTIVE',
  default_tags: {},
  stats: { idle_count: 1, pending_idle_count: 1, used_count: 3, pending_used_count: 0 },
  status: { pending_instance_errors: [{ instance_id: 'a', message: 'no Java' }] },
};

test('pools are listed with their hosts', async () => {
  const { stdout } = await call(['instance-pools', 'list'], {
    instancePoolsList: async () => ({ instance_pools: [seed] }),
  });

  expect(stdout).toContain('pool-seed-01  seed pool  1 (+1 starting)  3     2         10');
});

test('one pool shows what its hosts are started with, and why they did not start', async () => {
  const { stdout } = await call(['instance-pools', 'get', 'pool-seed-01'], {
    instancePoolsGet: async () => seed,
  });

  expect(stdout).toContain('spark.executor.memory=2g');
  expect(stdout).toContain('no Java');
});

test('a pool is made and changed as the file says, and deleted when a person agrees', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'headrace-pools-'));
  await writeFile(path.join(folder, 'pool.json'), '{"instance_pool_name": "p", "node_type_id": "i3.large"}');
  const asked: unknown[] = [];
  const handlers: StubHandlers = {
    instancePoolsCreate: async (request) => {
      asked.push(request);
      return { instance_pool_id: 'p1' };
    },
    instancePoolsEdit: async (request) => {
      asked.push(request);
      return {};
    },
    instancePoolsDelete: async (request) => {
      asked.push(request);
      return {};
    },
  };

  const file = ['--json-file', 'pool.json'];
  await call(['instance-pools', 'create', ...file], handlers, { folder });
  server?.close();
  await call(['instance-pools', 'edit', 'p1', ...file], handlers, { folder });
  server?.close();
  await call(['instance-pools', 'delete', 'p1'], handlers, { confirm: async () => true });
  await rm(folder, { recursive: true });

  const pool = { instance_pool_name: 'p', node_type_id: 'i3.large' };
  expect(asked).toEqual([pool, { ...pool, instance_pool_id: 'p1' }, { instance_pool_id: 'p1' }]);
});
